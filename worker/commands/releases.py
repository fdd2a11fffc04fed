"""Ids of jobs that a command released."""

from producer.contract.names import COMPLETE
from producer.contract.publication import Publication


def publish(publications: list[Publication]) -> None:
    """Put them on the broker. The worker's app is loaded only for that: it takes as long as all
    else that a command does, and where ledger and broker are one server there are none.
    """
    if publications:
        from ..celery import create_app

        create_app().tasks[COMPLETE].publish(publications)
