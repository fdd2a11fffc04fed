"""What can be wrong with a fleet, under which name: one probe for each. Pure.

A new finding is one probe and one line in `PROBES`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from ..faults import Fault
from ..settings import HealthSettings
from ..telemetry.metrics import ANSWERED
from .snapshot import MICRO, FleetSnapshot, calls_by_link

NO_FAILURES = frozenset(
    {
        "RateLimited",
        "BudgetExceeded",
        "InvalidRequest",
        "Cancelled",
        "TooLong",
        "Truncated",
        "Refused",
        "Filtered",
    }
)
"""Errors that are the caller's, the budget's or the model's doing: no failures of the service."""

PROVIDERS_FAULTS = frozenset(
    {
        Fault.RATE_LIMITED,
        Fault.OVERLOADED,
        Fault.UNAVAILABLE,
        Fault.TIMEOUT,
        Fault.BAD_RESPONSE,
        Fault.QUOTA_EXHAUSTED,
    }
)
"""Faults that are the provider's doing. The others come from a request, or from our settings
(`auth`).
"""

_KEY = "Fix: set a key that the provider takes, then run `completions check`"
_MONEY = "Fix: add money or raise the limit in the provider's console"
FIXES = {
    "HTTP 401": _KEY,
    "HTTP 402": _MONEY,
    "HTTP 403": _KEY,
    "HTTP 404": "Fix: correct the model or the base URL; run `completions check`",
    "misconfigured": _KEY,
    "quota exhausted": _MONEY,
    "HTTP 429": "Fix: ask the provider for a higher limit, or set a lower one in LLM_PACE",
}
"""By why a link is left alone."""
LEAST_FAILURES = 3
"""So many failures of a provider link are no accident, however little it is called."""

Severity = Literal["degraded", "down"]


class Finding(NamedTuple):
    """Something that is wrong now."""

    name: str
    """One of `NAMES`."""
    about: str
    """Tells several of one name apart: a provider link, a budget; "" where there is only one."""
    severity: Severity
    text: str


class Symptom(NamedTuple):
    """What a probe saw; its name is the probe's."""

    text: str
    about: str = ""
    severity: Severity = "degraded"


Probe = Callable[[FleetSnapshot, HealthSettings], Iterator[Symptom]]


def findings(snapshot: FleetSnapshot, settings: HealthSettings) -> list[Finding]:
    """Everything that is wrong, the worst first."""
    found = [
        Finding(name, symptom.about, symptom.severity, symptom.text)
        for name, probe in PROBES.items()
        for symptom in probe(snapshot, settings)
    ]
    return sorted(found, key=lambda finding: finding.severity != "down")


def _redis_away(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    yield from _troubles(snapshot, refuses=False)


def _redis_refuses(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    yield from _troubles(snapshot, refuses=True)


def _troubles(snapshot: FleetSnapshot, refuses: bool) -> Iterator[Symptom]:
    """Without its results' server the fleet works: `value()` reads the ledger."""
    for trouble in snapshot.troubles:
        if trouble.refuses is refuses:
            severity: Severity = "degraded" if trouble.name == "results" else "down"
            yield Symptom(f"{trouble.name}: {trouble.text}", trouble.name, severity)


def _no_workers(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    if snapshot.workers == 0:
        text = "no worker is alive. Fix: start one with `celery -A worker worker`"
        yield Symptom(text, severity="down")


def _errors(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    events = snapshot.recent.events
    ended = sum(events[state] for state in ("done", "failed", "expired", "dead"))
    failed: Counter[str] = Counter()
    for event, count in events.items():
        kind, _, error = event.partition(":")
        if kind == "error" and error not in NO_FAILURES:
            failed[error] += count
    if not ended or ended < settings.least:
        return
    rate = failed.total() / ended
    if rate > settings.error_rate:
        most = failed.most_common(1)[0][0]
        yield Symptom(
            f"{rate:.0%} of {ended:,} jobs failed, most by {most}. "
            f"See: completions dead list --kind {most}"
        )


def _slow(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    row = snapshot.interactive
    if row and row.count >= settings.least and row.p95 > settings.p95_s * 1000:
        yield Symptom(
            f"95 % of {row.count:,} interactive jobs took up to {row.p95 / 1000:.1f} s, "
            f"over {settings.p95_s:g}. See: completions stats --last 5m"
        )


def _queue(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    oldest_s = snapshot.oldest_s["interactive"]
    if oldest_s > settings.queue_s:
        yield Symptom(
            f"an interactive job has waited {oldest_s:.0f} s; "
            f"{snapshot.waiting['interactive']:,} wait for {snapshot.slots:,} slots. "
            "Fix: more workers"
        )


def _auth(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    for link, outcomes in calls_by_link(snapshot.recent.calls).items():
        if Fault.MISCONFIGURED in outcomes:
            yield Symptom(
                f"{link} refuses its key, model or URL. "
                "Fix: run `completions check`, then the provider's console",
                link,
            )


def _failing(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    for link, outcomes in calls_by_link(snapshot.recent.calls).items():
        faults = Counter({each: n for each, n in outcomes.items() if each in PROVIDERS_FAULTS})
        calls = outcomes.total()
        failed = faults.total()
        if failed >= LEAST_FAILURES and failed > calls / 2:
            most = faults.most_common(1)[0][0]
            yield Symptom(
                f"{link} failed {failed:,} of {calls:,} calls, most by {most}. "
                "See: the provider's status page",
                link,
            )


def _circuit(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    """Down, if jobs wait and no link that was called lately answers."""
    called = set(calls_by_link(snapshot.recent.calls))
    all_down = called <= {each.link for each in snapshot.cooling}
    for each in snapshot.cooling:
        waits = f"; {each.waiting:,} jobs wait for it" if each.waiting else ""
        severity: Severity = "down" if waits and all_down else "degraded"
        fix = FIXES.get(each.why, "Fix: see the provider's status page; add a link to LLM_CHAIN")
        yield Symptom(f"{each.words}{waits}. {fix}", each.link, severity)


def _audit(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    count = snapshot.recent.events["audit_failures"]
    if count:
        yield Symptom(
            f"the audit log did not answer {count:,} times; jobs wait for it. "
            "Fix: check LLM_AUDIT_URL"
        )


def _truncation(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    links = calls_by_link(snapshot.recent.calls)
    answered = sum(outcomes[each] for outcomes in links.values() for each in ANSWERED)
    cut = sum(outcomes["length"] for outcomes in links.values())
    if answered >= settings.least and cut / answered > settings.truncation_rate:
        most = max(links, key=lambda link: links[link]["length"])
        yield Symptom(
            f"{cut / answered:.0%} of {answered:,} answers were cut at max_tokens, "
            f"most by {most}. Fix: raise LLM_MAX_TOKENS, or the requests' own max_tokens"
        )


def _budget(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    for kind, name, limit, used, allowed in snapshot.budgets:
        if used >= settings.budget * allowed:
            whose = "the fleet's" if kind == "fleet" else f"{kind} {name}'s"
            text = f"{used / allowed:.0%} of {whose} {limit} is spent"
            yield Symptom(text, f"{kind}:{name}:{limit}")


def _spend(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    spent_usd = (snapshot.spent + snapshot.maybe) / MICRO
    if settings.usd_per_day is not None and spent_usd > settings.usd_per_day:
        yield Symptom(
            f"${spent_usd:.2f} spent today (over ${settings.usd_per_day:.2f}). "
            "See: completions usage --by user"
        )


def _unknown_attempts(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    count = snapshot.recent.events["unknown_attempts"]
    if count:
        yield Symptom(
            f"{count:,} calls whose outcome nobody knows (a worker died); they may have been billed"
        )


def _dead_letters(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    count = snapshot.recent.events["dead_letters"]
    if count:
        yield Symptom(f"{count:,} jobs failed for good. See: completions dead list")


def _redis_slow(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    if snapshot.redis_ms > settings.redis_ms:
        yield Symptom(
            f"the ledger takes {snapshot.redis_ms:.0f} ms to answer a PING "
            f"(over {settings.redis_ms:g} ms)"
        )


def _unsafe_redis(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    for warning in snapshot.unsafe:
        fix = warning.rpartition("Fix: ")[2]
        yield Symptom(warning.removeprefix("UNSAFE_LEDGER: "), fix)


def _clock_skew(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    for worker, skew_s in sorted(snapshot.skew_s.items()):
        if abs(skew_s) > settings.skew_s:
            text = f"the clock of {worker} is {skew_s:+.1f} s off the ledger's. Fix: NTP"
            yield Symptom(text, worker)


def _settings(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    for worker, names in sorted(snapshot.differing.items()):
        yield Symptom(
            f"{worker} has other settings than the fleet: {', '.join(names)}. Those of "
            f"{snapshot.ruled_by}, which started last, hold. Fix: give all workers the same",
            about=worker,
        )


PROBES: dict[str, Probe] = {
    "redis_away": _redis_away,
    "redis_refuses": _redis_refuses,
    "no_workers": _no_workers,
    "circuit": _circuit,
    "errors": _errors,
    "slow": _slow,
    "queue": _queue,
    "auth": _auth,
    "failing": _failing,
    "audit": _audit,
    "truncation": _truncation,
    "budget": _budget,
    "spend": _spend,
    "unknown_attempts": _unknown_attempts,
    "dead_letters": _dead_letters,
    "redis_slow": _redis_slow,
    "unsafe_redis": _unsafe_redis,
    "clock_skew": _clock_skew,
    "settings": _settings,
}
"""Name -> probe, in the order in which findings are reported."""

NAMES = tuple(PROBES)
"""Every name of a finding. Without the ledger there is no snapshot, and `health.py` makes one."""
