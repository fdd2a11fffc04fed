"""Is the fleet well? The verdict over one snapshot, for `completions health`, HTTP and alerts."""

from dataclasses import dataclass
from typing import Any, Literal

from producer.redis_trouble import described, refusal_of

from ..ledger.connection import ERRORS, LedgerConnection
from ..settings import HealthSettings
from ..telemetry.metrics import Row
from .findings import Finding, findings
from .snapshot import FleetSnapshot


@dataclass(frozen=True)
class Verdict:
    """What `Health.check` found, and the numbers beside it."""

    status: Literal["ok", "degraded", "down"]
    findings: tuple[Finding, ...]
    latency: Row | None
    """Total time of interactive jobs in the window, but for cache hits: a batch job may wait for
    hours and be well.
    """
    snapshot: FleetSnapshot | None
    """None: the ledger does not answer."""

    def body(self) -> dict[str, Any]:
        """As JSON: status, reasons, latency in milliseconds."""
        return {
            "status": self.status,
            "reasons": [finding._asdict() for finding in self.findings],
            "latency": _latency(self.latency),
        }


class Health:
    """Reads the fleet and judges it."""

    def __init__(self, connection: LedgerConnection, settings: HealthSettings) -> None:
        self._connection = connection
        self._settings = settings

    def check(self) -> Verdict:
        """One reading. Never raises for a server that is down: then the verdict is."""
        try:
            snapshot = FleetSnapshot.read(self._connection, self._settings.window_s)
        except ERRORS as error:
            return Verdict("down", (ledger_trouble(self._connection, error),), None, None)
        found = tuple(findings(snapshot, self._settings))
        status = found[0].severity if found else "ok"
        return Verdict(status, found, snapshot.interactive("total"), snapshot)


def ledger_trouble(connection: LedgerConnection, error: Exception) -> Finding:
    """The finding that there is when the ledger does not answer, or refuses even to be read."""
    name = "redis_refuses" if refusal_of(error) else "redis_away"
    return Finding(name, "ledger", "down", described(connection.settings.ledger, error))


def _latency(row: Row | None) -> dict[str, float | None]:
    if row is None:
        return {"count": 0, "p50_ms": None, "p95_ms": None, "p99_ms": None, "max_ms": None}
    return {
        "count": row.count,
        "p50_ms": row.p50,
        "p95_ms": row.p95,
        "p99_ms": row.p99,
        "max_ms": row.max,
    }
