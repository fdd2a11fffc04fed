"""What there is to know about the fleet now: one reading for health, alerts and Prometheus."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Self

from ..ledger.connection import LedgerConnection, ServerTrouble, troubles_of, unsafe_server
from ..ledger.fleet_functions import Snapshot, setting_names
from ..semantic.report import ScopeReport, reports
from ..telemetry.metrics import ANSWERED, SIMULATED, Counts, Metrics, Row, measured

LINES = 1_000
"""Of each ring, so many users' lines are read; how many jobs wait beyond those is not counted."""

MICRO = 1_000_000


class Cooling(NamedTuple):
    """A provider link whose circuit is not closed."""

    link: str
    why: str
    left_s: float
    """Until it is tried again."""
    words: str
    waiting: int
    """Jobs that may use no other link, or only others that are in trouble too."""


class Users(NamedTuple):
    """Estimates of how many different users had, in the window, jobs that ..."""

    ended: int
    """... ended, by an answer or an error that is not of their own making."""
    failed: int
    """... failed, by the service's doing."""
    refused: int
    """... were refused by a limit, whatever limit."""


class Budget(NamedTuple):
    """A window limit and what is used of it: micro-dollars, tokens or requests."""

    kind: str
    name: str
    limit: str
    used: int
    allowed: int


@dataclass(frozen=True)
class FleetSnapshot:
    """Amounts in micro-dollars, times in seconds or, where it says so, milliseconds."""

    redis_ms: float
    """The best of three round trips: what the server takes, not what a busy machine here does."""
    workers: int
    slots: int
    open: int
    """Released and running jobs."""
    parked: int
    dead: int
    """Dead letters kept."""
    waiting: dict[str, int]
    oldest_s: dict[str, float]
    """By lane, how long the first waiting job has waited."""
    gates: dict[str, str]
    """By lane, the provider link for whose room that one waits; "" = for a slot."""
    cooling: tuple[Cooling, ...]
    skew_s: dict[str, float]
    """Worker -> how far its clock is ahead of the server's; this process is "here"."""
    spent: int
    maybe: int
    """Of this UTC day, by the whole fleet."""
    budgets: tuple[Budget, ...]
    ruled_by: str
    """The worker whose settings hold for the fleet: the one that started last."""
    differing: dict[str, tuple[str, ...]]
    """Worker -> variables of the fleet's settings that it has otherwise."""
    users: Users
    unserved: tuple[str, ...]
    """Lanes that no worker takes jobs of, though some live."""
    released: int
    """Open jobs that no worker has begun."""
    released_s: float
    """How long the first of them has been so."""
    unsafe: tuple[str, ...]
    """Warnings about the server's configuration."""
    troubles: tuple[ServerTrouble, ...]
    """Of our servers: those that refuse to be written to, or are away."""
    recent: Counts
    """What was counted in the window asked for."""
    near: tuple[ScopeReport, ...] = ()
    """Of the semantic cache: the scopes used last."""

    @classmethod
    def read(cls, connection: LedgerConnection, window_s: int) -> Self:
        """Raises one of `connection.ERRORS`."""
        redis = connection.redis
        redis_ms = min(measured(redis.ping) for _ in range(3))
        reply = connection.functions(Snapshot(LINES, window_s * 1000))
        skew_s = {worker: int(ms) / 1000 for worker, ms in reply.skews}
        skew_s["here"] = datetime.now(UTC).timestamp() - reply.now_ms / 1000
        return cls(
            redis_ms=redis_ms,
            workers=reply.workers,
            slots=reply.slots,
            open=reply.open,
            parked=reply.parked,
            dead=reply.dead,
            waiting={lane: waiting for lane, waiting, _, _ in reply.lanes},
            oldest_s={lane: oldest_ms / 1000 for lane, _, oldest_ms, _ in reply.lanes},
            gates={lane: gate for lane, _, _, gate in reply.lanes},
            cooling=tuple(
                Cooling(link, why, ms / 1000, words, waiting)
                for link, why, ms, words, waiting in reply.cooling
            ),
            skew_s=skew_s,
            spent=reply.spent,
            maybe=reply.maybe,
            budgets=tuple(Budget(*each) for each in reply.budgets),
            ruled_by=reply.ruled_by,
            differing=_differing(reply.settings),
            users=Users(*reply.users),
            unserved=tuple(reply.unserved),
            released=reply.released[0],
            released_s=reply.released[1] / 1000,
            unsafe=tuple(unsafe_server(redis)),
            troubles=tuple(troubles_of(connection)),
            recent=Metrics(redis, connection.keys).window(window_s),
            near=tuple(reports(redis, connection.keys)),
        )

    @property
    def answered_by_simulators(self) -> tuple[int, int]:
        """Answers in the window: of simulators, of real providers."""
        links = calls_by_link(self.recent.calls).values()
        answered = sum(outcomes[each] for outcomes in links for each in ANSWERED)
        simulated = self.recent.events[SIMULATED]
        return simulated, answered - simulated

    def interactive(self, kind: str) -> Row | None:
        """Times of a kind of interactive jobs in the window; None if there are none."""
        wanted = (kind, "interactive", "*")
        rows = self.recent.rows()
        return next((row for row in rows if (row.kind, row.lane, row.provider) == wanted), None)


def _differing(settings: list[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """From "started_ms names,of,settings" of each worker."""
    named = {worker: setting_names(text.partition(" ")[2]) for worker, text in settings}
    return {worker: names for worker, names in named.items() if names}


def calls_by_link(calls: Mapping[tuple[str, str, str, str], int]) -> dict[str, Counter[str]]:
    """Provider link -> outcome of a call -> how many; from the `calls` of a `Counts`."""
    links: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (_, provider, model, outcome), count in calls.items():
        links[f"{provider}:{model}"][outcome] += count
    return dict(sorted(links.items()))
