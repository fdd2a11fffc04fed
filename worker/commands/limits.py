"""`completions limits`: shows and changes limits while the fleet runs."""

import math
from collections.abc import Callable
from typing import Any

import click

from producer.contract.used_limits import NONE, UsedLimit

from ..budgets.overrides import FLEET, CurrentLimits, Overrides, Subject
from .servers import SaidName, UserName, ledger_connection

MOST = 1e12


class OrNone(click.ParamType[float]):
    """A number, or "none" for no limit."""

    name = "number|none"

    def __init__(self, whole: bool) -> None:
        self._convert: Callable[[str], float] = float
        self._least = 0
        self._kind = "a number from 0"
        if whole:
            self._convert = int
            self._least = 1
            self._kind = "a whole number from 1"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if value == "none":
            return NONE
        try:
            number = self._convert(value)
        except ValueError:
            number = math.nan
        if not self._least <= number < MOST:
            self.fail(f"{value!r} is neither {self._kind} nor none", param, ctx)
        return number


def _of_whom(function: Any) -> Any:
    for decorate in (
        click.option("--fleet", is_flag=True, help="All users together."),
        click.option(
            "--group", metavar="GROUP", type=SaidName(), help="All members of GROUP together."
        ),
        click.argument("user", required=False, type=UserName()),
    ):
        function = decorate(function)
    return function


@click.group()
def limits() -> None:
    """Limits of single users, groups and the fleet, in force at once.

    What is not set here is as the worker's settings say (LLM_USER_TOKENS_PER_HOUR and so on).
    """


@limits.command()
@_of_whom
def show(user: str | None, group: str | None, fleet: bool) -> None:
    """Show one's limits and what is used of them; or those that the settings give to every user,
    the fleet's, and everybody's who has any of their own.
    """
    named = user or group or fleet
    with ledger_connection() as connection:
        overrides = Overrides(connection.redis, connection.keys)
        subjects = [_subject(user, group, fleet)] if named else overrides.subjects()
        given = {} if named else overrides.of_every_user()
        current = [overrides.current(subject) for subject in subjects]
        if not named and FLEET not in subjects and (whole := overrides.current(FLEET)).used:
            current = [whole, *current]
    if given:
        click.echo(f"every user, by the settings: {_listed(given)}")
    for each in current:
        click.echo(_line(each))
        for used in each.used:
            click.echo(f"  {_used(used)}")
    if not subjects:
        click.echo("Nobody has limits of their own.")


@limits.command("set")
@_of_whom
@click.option(
    "--weight",
    type=click.FloatRange(min=0.01, max=1000),
    help="Served so many times as often as others.",
)
@click.option("--in-flight", type=OrNone(whole=True), help="Released and running jobs at once.")
@click.option("--tokens-per-hour", type=OrNone(whole=True))
@click.option("--requests-per-minute", type=OrNone(whole=True))
@click.option("--usd-per-day", type=OrNone(whole=False))
@click.option("--usd-per-week", type=OrNone(whole=False), help="From Monday on.")
@click.option("--usd-per-month", type=OrNone(whole=False))
@click.option(
    "--join",
    "joined",
    metavar="GROUP",
    type=SaidName(),
    help="Make USER a member: their next jobs draw on its budgets, too.",
)
def set_(
    user: str | None, group: str | None, fleet: bool, joined: str | None, **given: float | None
) -> None:
    """Set limits of USER, of a --group or of the --fleet; a number, or none for no limit.

    Days, weeks and months are those of LLM_BUDGET_ZONE.

    \b
    completions limits set alice --weight 4 --usd-per-day 5 --join team-a
    completions limits set --group team-a --usd-per-day 50 --in-flight 20
    completions limits set --fleet --usd-per-day 500
    """
    subject = _subject(user, group, fleet)
    changes: dict[str, str | float] = {
        name: value for name, value in given.items() if value is not None
    }
    if joined:
        changes["group"] = joined
    if not changes:
        raise click.UsageError("say what to set, for example --usd-per-day 5; see --help")
    with ledger_connection() as connection:
        try:
            Overrides(connection.redis, connection.keys).change(subject, **changes)
        except ValueError as error:
            raise click.UsageError(str(error)) from None


@limits.command()
@_of_whom
def reset(user: str | None, group: str | None, fleet: bool) -> None:
    """Back to what the settings say; a user leaves their group."""
    subject = _subject(user, group, fleet)
    with ledger_connection() as connection:
        Overrides(connection.redis, connection.keys).reset(subject)


def _subject(user: str | None, group: str | None, fleet: bool) -> Subject:
    if sum(map(bool, (user, group, fleet))) != 1:
        raise click.UsageError("say whose: USER, --group GROUP or --fleet")
    if user:
        return Subject("user", user)
    if group:
        return Subject("group", group)
    return FLEET


def _line(limits: CurrentLimits) -> str:
    own = _listed(limits.own)
    waiting = "".join(f", {count:,} waiting in {lane}" for lane, count in limits.waiting.items())
    return (
        f"{limits.subject}: {own or 'as the settings say'}; {limits.in_flight:,} in flight{waiting}"
    )


def _listed(limits: dict[str, str | float]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in limits.items())


def _used(used: UsedLimit) -> str:
    allowed = NONE if used.allowed is None else used.allowed
    values = (allowed, used.spent, used.maybe_billed, used.held)
    most, spent, maybe, held = map(_shown, values)
    return (
        f"{used.limit}: {spent} of {most} spent, {maybe} possibly billed, {held} held; "
        f"all of it is free again in {used.resets_in_s:,.0f} s"
    )


def _shown(value: str | float) -> str:
    if isinstance(value, str):
        return value
    if value == NONE:
        return "none"
    return f"{value:,.6f}".rstrip("0").rstrip(".")
