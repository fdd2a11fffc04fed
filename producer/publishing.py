"""The producer's Celery app in use, and what it puts on the broker."""

import time
from contextlib import suppress

from celery import Celery
from kombu.exceptions import KombuError

from .celery_app import new_app
from .contract.errors import Unavailable
from .contract.publication import Publication, publish
from .current import connection_errors, current_settings
from .redis_trouble import reason

ONCE_MORE = {"max_retries": 1, "interval_start": 0, "interval_step": 0}
_published = 0.0
_app = new_app()


def current_app() -> Celery:
    return _app


def use_app(app: Celery) -> None:
    """For the whole process."""
    global _app
    _app = app


def publish_all(publications: list[Publication]) -> None:
    """Best effort: an id that the broker does not take is published by the sweep of any worker.

    After a pause the connection may have been forgotten by what is between: then it is tried twice.
    Raises `Unavailable` for what is wrong on this side, in a setting or in who listens to Celery's
    signals: the jobs are in the ledger, and are worked on all the same.
    """
    global _published
    if not publications:
        return
    from .connections import IDLE_S

    idle_s, _published = time.monotonic() - _published, time.monotonic()
    options = {"retry": idle_s > IDLE_S, "retry_policy": ONCE_MORE}
    try:
        with suppress(KombuError, *connection_errors()):
            publish(_app, current_settings().names, publications, **options)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the caller needs the job's id
        text = f"accepted, but its id could not be sent to the broker ({reason(error)})"
        raise Unavailable(text) from None
