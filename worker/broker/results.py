"""Celery's result backend, which stores beside the slot of a job.

Celery tries in the slot until the result is stored: a result server that refuses or is away would
hold every job that ends, and then the fleet. Here each process has one thread that stores; a slot
waits for it no longer than `PATIENCE_S`, and not at all while the server is known to be in trouble.
What waits is bounded; the ledger has every outcome, so `job.value()` waits for none of this.
"""

import logging
import os
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

from celery import states
from celery.backends.redis import RedisBackend, SentinelBackend

from producer.connections import BoundedPool, Sentinel
from producer.contract import errors
from producer.redis_trouble import reason, refusal_of

from ..loop.jobs import beside
from .outbox import SERVER_ERRORS, Outbox, Result, open_in_this_process

logger = logging.getLogger(__name__)


class _Beside(RedisBackend):  # type: ignore[misc]
    """What both of our backends do otherwise than Celery's."""

    ConnectionPool = BoundedPool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._by_pid: dict[int, Outbox] = {}

    def store_result(
        self,
        task_id: str,
        result: Any,
        state: str,
        traceback: Any = None,
        request: Any = None,
        **_: Any,
    ) -> Any:
        encoded = self.encode_result(result, state)
        meta = self._get_result_meta(
            result=encoded, state=state, traceback=traceback, request=request
        )
        payload = self.encode(meta | {"task_id": task_id})
        self._outbox().put(Result(task_id, payload, state))
        return encoded

    def prepare_exception(self, exc: Any, serializer: Any = None) -> Any:
        prepared = super().prepare_exception(exc, serializer)
        if type(exc).__module__ == errors.__name__:
            prepared["exc_module"] = errors.WIRE_MODULE
        return prepared

    def on_chord_part_return(
        self, request: Any, state: str, result: Any, propagate: Any = None, **_: Any
    ) -> None:
        """In the slot while the server is well, as in Celery; else in its turn, as a result is.

        An error here would leave the message neither taken nor given back, and its slot gone.
        """
        join = partial(super().on_chord_part_return, request, state, result)
        outbox = self._outbox()
        if not outbox.in_trouble:
            try:
                beside(join)
                return
            except SERVER_ERRORS as error:
                logger.warning("results: %s; the chord of %s waits", reason(error), request.id)
        payload = self.encode(self.encode_result(result, state))
        outbox.put(Result(request.id, payload, state, join))

    def fate_of(self, task_id: str) -> Callable[[], bool | None]:
        """Says whether all of that task's is stored; None if some of it never will be."""
        waiting = self._outbox().waiting(task_id)

        def fate() -> bool | None:
            if any(each.dropped.is_set() for each in waiting):
                return None
            return all(each.stored.is_set() for each in waiting)

        return fate

    def _outbox(self) -> Outbox:
        pid = os.getpid()
        outbox = self._by_pid.get(pid)
        if outbox is None:
            outbox = self._by_pid.setdefault(pid, open_in_this_process(self._store))
        return outbox

    def _store(self, result: Result) -> None:
        """One try; raises what is about the server. What is about one result holds up no other."""
        try:
            self._store_once(result)
        except Exception as error:
            if self._is_about_server(error):
                raise
            logger.warning("results: %s; that of %s is dropped", reason(error), result.task_id)

    def _store_once(self, result: Result) -> None:
        """A success that is there stays, as in Celery; what is no result is overwritten."""
        if result.join:
            result.join()
            return
        try:
            if self._get_task_meta_for(result.task_id)["status"] == states.SUCCESS:
                return
        except Exception as error:
            if self._is_about_server(error):
                raise
        expires = self.failure_expires if result.state == states.FAILURE else self.expires
        self._set(self.get_key_for_task(result.task_id), result.payload, expires)

    def _is_about_server(self, error: Exception) -> bool:
        answered = isinstance(error, self.redis.ResponseError)
        refused = refusal_of(error) is not None
        return isinstance(error, SERVER_ERRORS) and (refused or not answered)


class Results(_Beside):
    """On a server of a URL."""


class SentinelResults(_Beside, SentinelBackend):  # type: ignore[misc]
    """On a server that Sentinels know."""

    sentinel = SimpleNamespace(Sentinel=Sentinel)


BACKENDS = {
    "redis": f"{__name__}:Results",
    "rediss": f"{__name__}:Results",
    "sentinel": f"{__name__}:SentinelResults",
}
"""Scheme of a URL -> class, for Celery's loader."""
