"""What is wrong with a fleet: each finding is what one probe saw. Pure.

A new finding is one probe and one line in `PROBES`.
"""

from typing import NamedTuple

from ..settings import HealthSettings
from . import job_probes, link_probes, money_probes, semantic_probes, server_probes
from .snapshot import FleetSnapshot
from .symptoms import Probe, Severity


class Finding(NamedTuple):
    """Something that is wrong now."""

    name: str
    """One of `NAMES`."""
    about: str
    """Tells several of one name apart: a provider link, a budget; "" where there is only one."""
    severity: Severity
    text: str


def findings(snapshot: FleetSnapshot, settings: HealthSettings) -> list[Finding]:
    """Everything that is wrong, the worst first."""
    found = [
        Finding(name, symptom.about, symptom.severity, symptom.text)
        for name, probe in PROBES.items()
        for symptom in probe(snapshot, settings)
    ]
    return sorted(found, key=lambda finding: finding.severity != "down")


PROBES: dict[str, Probe] = {
    "redis_away": server_probes.redis_away,
    "redis_refuses": server_probes.redis_refuses,
    "no_workers": server_probes.no_workers,
    "unserved": job_probes.unserved,
    "standing": job_probes.standing,
    "circuit": link_probes.circuit,
    "errors": job_probes.errors,
    "refused": job_probes.refused,
    "slow": job_probes.slow,
    "queue": job_probes.queue,
    "auth": link_probes.auth,
    "failing": link_probes.failing,
    "simulator": link_probes.simulator,
    "audit": job_probes.audit,
    "truncation": job_probes.truncation,
    "budget": money_probes.budget,
    "spend": money_probes.spend,
    "semantic": semantic_probes.semantic,
    "unknown_attempts": job_probes.unknown_attempts,
    "dead_letters": job_probes.dead_letters,
    "redis_slow": server_probes.redis_slow,
    "unsafe_redis": server_probes.unsafe_redis,
    "clock_skew": server_probes.clock_skew,
    "settings": server_probes.settings,
}
"""Name -> probe, in the order in which findings are reported."""

NAMES = tuple(PROBES)
"""Every name of a finding. Without the ledger there is no snapshot, and `health.py` makes one."""
