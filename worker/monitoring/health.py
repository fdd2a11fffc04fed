"""Is the fleet well? Named findings over one reading of its vitals, for health and for alerts. Pure
but for `Health`.

Redis down: the verdict is "down".
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ..faults import Fault
from ..ledger.connection import ERRORS, Keys, Redis
from ..settings import HealthSettings
from ..telemetry.metrics import ANSWERED, Metrics, Row
from .snapshot import FleetSnapshot

EXPECTED = (
    "RateLimited",
    "BudgetExceeded",
    "InvalidRequest",
    "Cancelled",
    "TooLong",
    "Truncated",
    "Refused",
    "Filtered",
)
"""Ends that are the caller's, the budget's or the model's doing: no failures of the service."""

LINKS_OWN = frozenset(
    {
        Fault.RATE_LIMITED,
        Fault.OVERLOADED,
        Fault.UNAVAILABLE,
        Fault.TIMEOUT,
        Fault.BAD_RESPONSE,
        Fault.QUOTA_EXHAUSTED,
    }
)
"""Faults that are the provider's doing; of the others a request is to blame, or our settings
(`auth`).
"""
FEW = 3
"""So many failures of a link are no accident, however little it is called."""

Severity = Literal["degraded", "down"]


class Finding(NamedTuple):
    """Something that is wrong now. `name` is one of `NAMES`; `about` tells several of one name
    apart (a link, a budget).
    """

    name: str
    about: str
    severity: Severity
    text: str


@dataclass(frozen=True)
class Verdict:
    status: Literal["ok", "degraded", "down"]
    findings: tuple[Finding, ...]
    latency: Row | None
    """Total time of interactive jobs in the window: a batch job may wait for hours and be well."""
    vitals: FleetSnapshot | None
    """None: the ledger does not answer."""

    def body(self) -> dict[str, Any]:
        """As JSON: status, reasons, latency in milliseconds."""
        row = self.latency
        numbers = (
            (row.count, row.p50, row.p95, row.p99, row.max) if row else (0, None, None, None, None)
        )
        return {
            "status": self.status,
            "reasons": [finding._asdict() for finding in self.findings],
            "latency": dict(
                zip(("count", "p50_ms", "p95_ms", "p99_ms", "max_ms"), numbers, strict=True)
            ),
        }


def judge(vitals: FleetSnapshot, settings: HealthSettings) -> Iterator[Finding]:
    """Everything that is wrong, the worst first."""
    for name, probe in PROBES.items():
        for about, severity, text in probe(vitals, settings):
            yield Finding(name, about, severity, text)


class Health:
    """Reads and judges. `usd_per_day`: the settings' limit of the fleet, to say when it is nearly
    spent.
    """

    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        metrics: Metrics,
        settings: HealthSettings,
        usd_per_day: float | None,
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._metrics = metrics
        self._settings = settings
        self._usd_per_day = usd_per_day

    def check(self) -> Verdict:
        """Never raises for a server that is down."""
        try:
            vitals = FleetSnapshot.read(
                self._redis, self._keys, self._metrics, self._settings.window_s, self._usd_per_day
            )
        except ERRORS as error:
            away = f"the ledger does not answer ({type(error).__name__}). Fix: check Redis and LEDGER_URL"
            return Verdict("down", (Finding("redis_away", "", "down", away),), None, None)
        findings = tuple(
            sorted(judge(vitals, self._settings), key=lambda finding: finding.severity != "down")
        )
        status = findings[0].severity if findings else "ok"
        return Verdict(status, findings, interactive(vitals), vitals)


def by_link(calls: Mapping[tuple[str, str, str, str], int]) -> dict[str, Counter[str]]:
    """Link -> what came of its calls."""
    links: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (_, provider, model, outcome), count in calls.items():
        links[f"{provider}:{model}"][outcome] += count
    return dict(sorted(links.items()))


def interactive(vitals: FleetSnapshot) -> Row | None:
    """Total times of interactive jobs; None if none ended in the window."""
    rows = vitals.recent.rows()
    return next(
        (
            row
            for row in rows
            if (row.kind, row.lane, row.provider) == ("total", "interactive", "*")
        ),
        None,
    )


Found = Iterator[tuple[str, Severity, str]]


def _no_workers(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    if vitals.workers == 0:
        yield "", "down", "no worker is alive. Fix: start one with `celery -A worker worker`"


def _slow(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    row = interactive(vitals)
    if row and row.count >= settings.least and row.p95 > settings.p95_s * 1000:
        yield (
            "",
            "degraded",
            f"95 % of {row.count:,} interactive jobs took up to {row.p95 / 1000:.1f} s, over {settings.p95_s:g}. "
            "See: completions stats --last 5m",
        )


def _errors(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    events = vitals.recent.events
    ended = sum(events[state] for state in ("done", "failed", "expired", "dead"))
    wrong = {
        name.removeprefix("error:"): count
        for name, count in events.items()
        if name.startswith("error:")
    }
    failed = {name: count for name, count in wrong.items() if name not in EXPECTED}
    rate = sum(failed.values()) / ended if ended else 0
    if ended >= settings.least and rate > settings.error_rate:
        most = max(failed, key=lambda name: failed[name])
        yield (
            "",
            "degraded",
            f"{rate:.0%} of {ended:,} jobs failed, most by {most}. See: completions dead list --kind {most}",
        )


def _truncation(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    links = by_link(vitals.recent.calls)
    answered = sum(outcomes[each] for outcomes in links.values() for each in ANSWERED)
    cut = sum(outcomes["length"] for outcomes in links.values())
    if answered >= settings.least and cut / answered > settings.truncation_rate:
        most = max(links, key=lambda link: links[link]["length"])
        text = (
            f"{cut / answered:.0%} of {answered:,} answers were cut at max_tokens, most by {most}"
        )
        yield "", "degraded", f"{text}. Fix: raise LLM_MAX_TOKENS, or the requests' own max_tokens"


def _failing(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    for link, outcomes in by_link(vitals.recent.calls).items():
        faults = Counter({fault: count for fault, count in outcomes.items() if fault in LINKS_OWN})
        calls, failed = outcomes.total(), faults.total()
        if failed >= FEW and failed > calls / 2:
            worst = faults.most_common(1)[0][0]
            yield (
                link,
                "degraded",
                f"{link} failed {failed:,} of {calls:,} calls, most by {worst}. See: the provider's status page",
            )


def _cooldown(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    for link, fault, left_s in vitals.cooling:
        yield (
            link,
            "degraded",
            f"{link} is left alone for {left_s:.0f} s more ({fault}). See: the provider's status page",
        )


def _auth(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    refused = {
        f"{provider}:{model}"
        for (_, provider, model, outcome) in vitals.recent.calls
        if outcome == Fault.MISCONFIGURED
    }
    for link in sorted(refused):
        yield (
            link,
            "degraded",
            f"{link} refuses its key, model or URL. Fix: run `completions check`, then the provider's console",
        )


def _queue(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    waited, count = vitals.oldest_s["interactive"], vitals.waiting["interactive"]
    if waited > settings.queue_s:
        yield (
            "",
            "degraded",
            f"an interactive job has waited {waited:.0f} s; {count:,} wait for {vitals.slots:,} slots. Fix: more workers",
        )


def _redis_slow(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    if vitals.redis_ms > settings.redis_ms:
        yield (
            "",
            "degraded",
            f"the ledger takes {vitals.redis_ms:.0f} ms to answer a PING (over {settings.redis_ms:g} ms)",
        )


def _unsafe(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    for warning in vitals.unsafe:
        yield warning.rpartition("Fix: ")[2], "degraded", warning.removeprefix("UNSAFE_LEDGER: ")


def _clock_skew(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    for worker, skew_s in sorted(vitals.skew_s.items()):
        if abs(skew_s) > settings.skew_s:
            yield (
                worker,
                "degraded",
                f"the clock of {worker} is {skew_s:+.1f} s off the ledger's. Fix: NTP",
            )


def _budget(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    for kind, name, limit, used, allowed in vitals.budgets:
        if used >= settings.budget * allowed:
            whose = "the fleet's" if kind == "fleet" else f"{kind} {name}'s"
            yield (
                f"{kind}:{name}:{limit}",
                "degraded",
                f"{used / allowed:.0%} of {whose} {limit} is spent",
            )


def _spend(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    spent = (vitals.spent + vitals.maybe) / 1_000_000
    if settings.usd_per_day is not None and spent > settings.usd_per_day:
        yield (
            "",
            "degraded",
            f"${spent:.2f} spent today (over ${settings.usd_per_day:.2f}). See: completions usage --by user",
        )


def _unknown(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    if count := vitals.recent.events["unknown_attempts"]:
        yield (
            "",
            "degraded",
            f"{count:,} calls whose outcome nobody knows (a worker died); they may have been billed",
        )


def _audit(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    if count := vitals.recent.events["audit_failures"]:
        yield (
            "",
            "degraded",
            f"the audit log did not answer {count:,} times; jobs wait for it. Fix: check LLM_AUDIT_URL",
        )


def _dead_letters(vitals: FleetSnapshot, settings: HealthSettings) -> Found:
    if count := vitals.recent.events["dead_letters"]:
        yield "", "degraded", f"{count:,} jobs failed for good. See: completions dead list"


PROBES: dict[str, Callable[[FleetSnapshot, HealthSettings], Found]] = {
    "no_workers": _no_workers,
    "errors": _errors,
    "slow": _slow,
    "queue": _queue,
    "auth": _auth,
    "failing": _failing,
    "cooldown": _cooldown,
    "audit": _audit,
    "truncation": _truncation,
    "budget": _budget,
    "spend": _spend,
    "unknown_attempts": _unknown,
    "dead_letters": _dead_letters,
    "redis_slow": _redis_slow,
    "unsafe_redis": _unsafe,
    "clock_skew": _clock_skew,
}
NAMES = ("redis_away", *PROBES)
