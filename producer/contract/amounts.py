"""Dollars and seconds that callers give, in the ledger's units."""

from decimal import Decimal
from typing import Any

from .errors import InvalidRequest

MAX_USD = 1_000_000
MAX_S = 10 * 365 * 86_400


def micro_usd(field: str, usd: Any) -> int:
    """Dollars as micro-dollars. Raises `InvalidRequest` unless they are a finite number from 0."""
    return int(_number(field, usd, MAX_USD) * 1_000_000)


def milliseconds(field: str, seconds: Any) -> int:
    """Raises `InvalidRequest` unless they are a finite number from 0 to ten years."""
    return int(_number(field, seconds, MAX_S) * 1000)


def _number(field: str, value: Any, most: int) -> Decimal:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
        if number.is_finite() and 0 <= number <= most:
            return number
    raise InvalidRequest(
        f"{field}: needs a number from 0 to {most:,}. Fix: leave it out for the default",
        {"fields": [field]},
    )
