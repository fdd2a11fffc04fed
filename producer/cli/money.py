"""Dollars as an option of a command."""

from typing import Any

import click

from ..contract.amounts import micro_usd
from ..contract.errors import InvalidRequest


class Dollars(click.ParamType[float]):
    """A finite number from 0; 0: nothing may be spent."""

    name = "dollars"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            dollars = float(value)
            micro_usd("dollars", dollars)
        except (ValueError, InvalidRequest):
            self.fail(f"{value!r} is no number of dollars from 0", param, ctx)
        return dollars
