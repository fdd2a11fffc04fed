"""What can be wrong with our servers and workers. Pure."""

from collections.abc import Iterator

from ..settings import HealthSettings
from .snapshot import FleetSnapshot
from .symptoms import Severity, Symptom


def redis_away(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    yield from _troubles(snapshot, refuses=False)


def redis_refuses(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    yield from _troubles(snapshot, refuses=True)


def _troubles(snapshot: FleetSnapshot, refuses: bool) -> Iterator[Symptom]:
    """Without its results' server the fleet works: `value()` reads the ledger."""
    for trouble in snapshot.troubles:
        if trouble.refuses is refuses:
            severity: Severity = "degraded" if trouble.name == "results" else "down"
            yield Symptom(f"{trouble.name}: {trouble.text}", trouble.name, severity)


def no_workers(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    if snapshot.workers == 0:
        text = "no worker is alive. Fix: start one with `celery -A worker worker`"
        yield Symptom(text, severity="down")


def redis_slow(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    if snapshot.redis_ms > settings.redis_ms:
        yield Symptom(
            f"the ledger takes {snapshot.redis_ms:.0f} ms to answer a PING "
            f"(over {settings.redis_ms:g} ms). Fix: see what else its machine does (disk, swap)"
        )


def unsafe_redis(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    for warning in snapshot.unsafe:
        fix = warning.rpartition("Fix: ")[2]
        yield Symptom(warning.removeprefix("UNSAFE_LEDGER: "), fix)


def clock_skew(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    for worker, skew_s in sorted(snapshot.skew_s.items()):
        if abs(skew_s) > settings.skew_s:
            text = f"the clock of {worker} is {skew_s:+.1f} s off the ledger's. Fix: NTP"
            yield Symptom(text, worker)


def settings(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    for worker, names in sorted(snapshot.differing.items()):
        yield Symptom(
            f"{worker} has other settings than the fleet: {', '.join(names)}. Those of "
            f"{snapshot.ruled_by}, which started last, hold. Fix: give all workers the same",
            about=worker,
        )
