"""`completions limits`: who is served how often, and how many of a user's jobs may run at once."""

import click

from ..lanes import Lanes
from ..runtime import operator
from ..store import ERRORS


def _lanes() -> Lanes:
    ledger = operator()
    return Lanes(ledger.redis, ledger.keys)


@click.group()
def limits() -> None:
    """Weights and caps of single users, in force at once."""


@limits.command()
@click.argument("user", required=False)
def show(user: str | None) -> None:
    """Show USER's, or everybody's who has any."""
    try:
        users = [user] if user else _lanes().special()
        for each in map(_lanes().standing, users):
            waiting = ", ".join(f"{count} waiting in {lane}" for lane, count in each.waiting.items())
            cap = "the fleet's cap" if each.cap is None else f"at most {each.cap} in flight"
            click.echo(f"{each.user_id}: weight {each.weight:g}, {cap}; {each.in_flight} in flight, {waiting}")
    except ERRORS as error:
        raise _down(error) from None
    if not users:
        click.echo("Nobody has limits of their own.")


@limits.command("set")
@click.argument("user")
@click.option("--weight", type=click.FloatRange(min=0.01, max=1000), help="Served so many times as often as others.")
@click.option("--in-flight", type=click.IntRange(min=1), help="Released and running jobs at once.")
def set_(user: str, weight: float | None, in_flight: int | None) -> None:
    """Set USER's weight or cap.

    \b
    completions limits set team-a --weight 4 --in-flight 20
    """
    if weight is None and in_flight is None:
        raise click.UsageError("say --weight or --in-flight")
    try:
        _lanes().change(user, weight, in_flight)
    except ERRORS as error:
        raise _down(error) from None


@limits.command()
@click.argument("user")
def reset(user: str) -> None:
    """Back to weight 1 and the fleet's cap."""
    try:
        _lanes().reset(user)
    except ERRORS as error:
        raise _down(error) from None


def _down(error: Exception) -> click.ClickException:
    return click.ClickException(f"Redis does not answer ({type(error).__name__}). Fix: check REDIS_URL and LEDGER_URL")
