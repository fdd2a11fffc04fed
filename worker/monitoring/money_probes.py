"""What can be wrong with money: limits of many, and a dear day. Pure."""

from collections.abc import Iterator

from ..settings import HealthSettings
from .snapshot import MICRO, FleetSnapshot
from .symptoms import Symptom

NAMED = 10
"""Of what is counted, so many are named."""
_RAISE = "Fix: raise it with `completions limits set`, or see: completions usage --by user"


def budget(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    """Of limits that stop many. A user's own limit is meant for that user."""
    near = sorted(
        (each for each in snapshot.budgets if each.used >= settings.budget * each.allowed),
        key=lambda each: each.allowed - each.used,
    )
    for each in near:
        if each.kind == "fleet":
            share = each.used / each.allowed
            yield Symptom(f"{share:.0%} of the fleet's {each.limit} is spent. {_RAISE}", "fleet")
    groups = list(dict.fromkeys(each.name for each in near if each.kind == "group"))
    if groups:
        yield Symptom(
            f"{_counted(groups, 'group')} spent {settings.budget:.0%} or more of a limit. {_RAISE}",
            "groups",
        )


def _counted(names: list[str], noun: str) -> str:
    """ "1 group (a) has", "3 groups (a, b, c) have"; of many, the first are named."""
    listed = ", ".join(names[:NAMED])
    if len(names) > NAMED:
        listed += f" and {len(names) - NAMED:,} more"
    if len(names) == 1:
        return f"1 {noun} ({listed}) has"
    return f"{len(names):,} {noun}s ({listed}) have"


def spend(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    spent_usd = (snapshot.spent + snapshot.maybe) / MICRO
    if settings.usd_per_day is not None and spent_usd > settings.usd_per_day:
        yield Symptom(
            f"${spent_usd:.2f} spent today (over ${settings.usd_per_day:.2f}). "
            "See: completions usage --by user"
        )
