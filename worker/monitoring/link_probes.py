"""What can be wrong with provider links. Pure."""

from collections import Counter
from collections.abc import Iterator

from ..faults import Fault
from ..settings import HealthSettings
from .snapshot import FleetSnapshot, calls_by_link
from .symptoms import Severity, Symptom

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


def circuit(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    """Down, if jobs wait and no link that was called lately answers."""
    called = set(calls_by_link(snapshot.recent.calls))
    all_down = called <= {each.link for each in snapshot.cooling}
    for each in snapshot.cooling:
        waits = f"; {each.waiting:,} jobs wait for it" if each.waiting else ""
        severity: Severity = "down" if waits and all_down else "degraded"
        fix = FIXES.get(each.why, "Fix: see the provider's status page; add a link to LLM_CHAIN")
        yield Symptom(f"{each.words}{waits}. {fix}", each.link, severity)


def simulator(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    """Beside real providers; a fleet that has nothing else is a trial."""
    simulated, real = snapshot.answered_by_simulators
    if simulated and real:
        yield Symptom(
            f"a simulator gave {simulated:,} of the last {simulated + real:,} answers, "
            "and they are not real. Fix: take it out of LLM_CHAIN"
        )


def auth(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    for link, outcomes in calls_by_link(snapshot.recent.calls).items():
        if Fault.MISCONFIGURED in outcomes:
            yield Symptom(
                f"{link} refuses its key, model or URL. "
                "Fix: run `completions check`, then the provider's console",
                link,
            )


def failing(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
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
