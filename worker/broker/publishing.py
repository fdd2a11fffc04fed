"""Ids for the broker: those of jobs that end at the same time go there over one connection."""

from functools import cache
from typing import Any

from producer.contract.names import FleetNames
from producer.contract.publication import Publication
from producer.contract.publication import publish as publish_now

from ..loop.carrier import Carrier
from ..loop.jobs import current_job

MOST = 100
"""Jobs whose publications go together."""


def publish(app: Any, names: FleetNames, publications: list[Publication]) -> None:
    """As `publish_now`, which it calls from a thread for jobs that must not block."""
    if not publications:
        return
    if current_job() is None:
        publish_now(app, names, publications)
    else:
        _carrier(app, names).ask(publications)


@cache
def _carrier(app: Any, names: FleetNames) -> Carrier[list[Publication]]:
    def carry(asked: list[list[Publication]]) -> list[None]:
        publish_now(app, names, [each for publications in asked for each in publications])
        return [None] * len(asked)

    return Carrier("publications", carry, MOST)
