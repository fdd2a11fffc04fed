"""Celery's events of jobs, for Flower: sent together.

Celery sends them at each turn of its loop, which each of them wakes: a tenth of a worker's CPU.
"""

from typing import Any

from celery.app import events
from celery.events.dispatcher import EventDispatcher

PERIOD_S = 1.0
"""Between two messages with what happened; a worker's steward sees to it."""
MOST = 300
"""Events that wait; the next one sends them."""


class Dispatcher(EventDispatcher):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        options |= {"buffer_limit": MOST, "on_send_buffered": None}
        super().__init__(*args, **options)


class Events(events.Events):  # type: ignore[misc]
    dispatcher_cls = f"{__name__}:Dispatcher"
