"""What a probe of health sees."""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from ..settings import HealthSettings
from .snapshot import FleetSnapshot

Severity = Literal["degraded", "down"]


class Symptom(NamedTuple):
    """Its name is its probe's."""

    text: str
    """What is wrong, and what to do: it ends with "Fix: ..." or "See: ..."."""
    about: str = ""
    """Tells several of one name apart: a provider link, a worker; "" where there is only one."""
    severity: Severity = "degraded"


Probe = Callable[[FleetSnapshot, HealthSettings], Iterator[Symptom]]
