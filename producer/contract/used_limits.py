"""What is used of a limit, as a web app and an operator are told. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

MICRO = 1_000_000
NONE = -1
"""How the ledger says that there is no limit."""


@dataclass(frozen=True)
class UsedLimit:
    """One limit of a user, a group or the fleet, now. Dollars, tokens or requests, as its name
    says.
    """

    whose: Literal["user", "group", "fleet"]
    limit: str
    """Such as "tokens_per_hour" or "usd_per_day"."""
    allowed: float | None
    """None: there is no limit, but something is used that one would count."""
    spent: float
    maybe_billed: float
    """Of calls that gave no bill."""
    held: float
    """The worst case of calls on the wire."""
    resets_in_s: float
    """Until nothing that is used now counts any more."""

    @property
    def left(self) -> float | None:
        """What a call may hold now; None: any."""
        if self.allowed is None:
            return None
        return max(0.0, self.allowed - self.spent - self.maybe_billed - self.held)


def used_limits(
    whose: Literal["user", "group", "fleet"], rows: Iterable[tuple[str, int, int, int, int, int]]
) -> list[UsedLimit]:
    """From the ledger's rows: limit, allowed, spent, possibly billed, held, milliseconds."""
    found = []
    for limit, allowed, *amounts, resets_ms in rows:
        scale = MICRO if limit.startswith("usd") else 1
        most = None if allowed == NONE else allowed / scale
        spent, maybe, held = (amount / scale for amount in amounts)
        resets_in_s = max(0, resets_ms) / 1000
        found.append(UsedLimit(whose, limit, most, spent, maybe, held, resets_in_s))
    return found
