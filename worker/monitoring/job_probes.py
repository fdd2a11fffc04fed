"""What can be wrong with jobs: they fail, are refused, wait or take too long. Pure."""

from collections.abc import Iterator

from producer.contract.names import QUEUES

from ..settings import HealthSettings
from ..telemetry.metrics import ANSWERED, CUT_BY_DEFAULT
from .snapshot import FleetSnapshot, calls_by_link
from .symptoms import Symptom

FAILED_USERS = 2
"""So many users' jobs fail before it is the service that fails, where so many are served."""
REFUSED_USERS = 3
"""The same of refusals by limits."""


def errors(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    """What fails for one user among several that are served may be that user's own doing."""
    failed = snapshot.recent.failures
    ended = snapshot.recent.events["done"] + failed.total()
    if not failed or ended < settings.least:
        return
    rate = failed.total() / ended
    users = snapshot.users
    if rate > settings.error_rate and users.failed >= min(FAILED_USERS, users.ended):
        most = failed.most_common(1)[0][0]
        yield Symptom(
            f"{rate:.0%} of {ended:,} jobs failed, {_of_users(users.failed)}, most by {most}. "
            f"See: completions dead list --kind {most}"
        )


def refused(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    """A limit that stops one user was meant for that one; one that stops many is set too low."""
    refused = snapshot.recent.refusals
    others = snapshot.recent.events["done"] + snapshot.recent.failures.total()
    ended = others + refused.total()
    if not refused or ended < settings.least:
        return
    rate = refused.total() / ended
    users = snapshot.users
    if rate > settings.error_rate and users.refused >= max(2, min(REFUSED_USERS, users.ended)):
        most = refused.most_common(1)[0][0]
        yield Symptom(
            f"limits refuse {rate:.0%} of {ended:,} jobs, {_of_users(users.refused)}, most by "
            f"{most}. Fix: raise it (`completions limits`, or the setting of that name)"
        )


def _of_users(count: int) -> str:
    return "of one user" if count == 1 else f"of about {count:,} users"


def slow(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    """Jobs that were called: answers of the cache say nothing of them."""
    row = snapshot.interactive("total")
    if row and row.count >= settings.least and row.p95 > settings.p95_s * 1000:
        parts = [
            f"{kind} {part.p95 / 1000:.1f} s"
            for kind in ("queue", "provider")
            if (part := snapshot.interactive(kind))
        ]
        yield Symptom(
            f"95 % of {row.count:,} interactive jobs took up to {row.p95 / 1000:.1f} s "
            f"({', '.join(parts)}), over {settings.p95_s:g}. See: completions stats --last 5m"
        )


def queue(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    oldest_s, waiting = snapshot.oldest_s["interactive"], snapshot.waiting["interactive"]
    if oldest_s <= settings.queue_s:
        return
    wanted, fix = f"{snapshot.slots:,} slots", "more workers"
    if link := snapshot.gates["interactive"]:
        wanted = f"slots, that one for room at {link}"
        fix = "a higher limit (the provider's, or in LLM_PACE), or another link in LLM_CHAIN"
    yield Symptom(
        f"an interactive job has waited {oldest_s:.0f} s; {waiting:,} wait for {wanted}. Fix: {fix}"
    )


def unserved(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    for lane, queue in QUEUES.items():
        waiting = snapshot.waiting[lane]
        if waiting and lane in snapshot.unserved:
            yield Symptom(
                f"{waiting:,} {lane} jobs wait, and no worker takes any of that lane (-Q, -X, "
                f"`control cancel_consumer`). Fix: a worker that reads the fleet's {queue}",
                about=lane,
                severity="down" if lane == "interactive" else "degraded",
            )


def standing(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    """Whatever the cause: the broker has jobs, workers have slots, and they do not meet."""
    free = snapshot.slots - (snapshot.open - snapshot.released)
    if snapshot.workers and free > 0 and snapshot.released_s > settings.queue_s:
        yield Symptom(
            f"{snapshot.released:,} jobs are with the broker, the first for "
            f"{snapshot.released_s:.0f} s, and none begins though {free:,} slots are free. "
            "See: the workers' logs; `completions dead quarantine`"
        )


def truncation(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    """By our own max_tokens: a caller who sets a small one wants that."""
    links = calls_by_link(snapshot.recent.calls)
    answered = sum(outcomes[each] for outcomes in links.values() for each in ANSWERED)
    cut = snapshot.recent.events[CUT_BY_DEFAULT]
    if answered >= settings.least and cut / answered > settings.truncation_rate:
        yield Symptom(
            f"{cut / answered:.0%} of {answered:,} answers were cut at the default max_tokens. "
            "Fix: raise LLM_MAX_TOKENS"
        )


def unknown_attempts(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    count = snapshot.recent.events["unknown_attempts"]
    if count:
        yield Symptom(
            f"{count:,} calls whose outcome is not known (a worker died); they may have been "
            "billed. See: the workers' logs for why (memory, kill -9)"
        )


def dead_letters(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    count = snapshot.recent.events["dead_letters"]
    if count:
        yield Symptom(f"{count:,} jobs failed for good. See: completions dead list")


def audit(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    count = snapshot.recent.events["audit_failures"]
    if count:
        yield Symptom(
            f"the audit log did not answer {count:,} times; jobs wait for it. "
            "Fix: check LLM_AUDIT_URL"
        )
