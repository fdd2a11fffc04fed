"""Celery's result backend, which stores beside the slot of a job.

Celery tries in the slot until the result is stored: a result server that refuses or is away would
hold every job that ends, and then the fleet. Here each process has one thread that stores all that
waits in one trip, and a slot goes on. What waits is bounded, and noted in the ledger: if the
process dies first, another one stores it. `job.value()` waits for none of this.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
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
        meta = self._get_result_meta(encoded, state, traceback, request)
        payload = self.encode(meta | {"task_id": task_id})
        in_chord = bool(request and request.chord)  # which may read it when it is told
        self._outbox().put(Result(task_id, payload, state), wait=in_chord)
        return encoded

    def _get_result_meta(
        self, result: Any, state: str, traceback: Any, request: Any, *_: Any, **__: Any
    ) -> dict[str, Any]:
        """As Celery's, for our settings (`celery_policy.py`: UTC, nothing extended), which it looks
        up for each result.
        """
        ended = datetime.now(UTC).isoformat() if state in self.READY_STATES else None
        meta = {
            "status": state,
            "result": result,
            "traceback": traceback,
            "children": self.current_task_children(request),
            "date_done": ended,
        }
        for name, told in (("group_id", "group"), ("parent_id", "parent_id")):
            if value := getattr(request, told, None):
                meta[name] = value
        return meta

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

    def set_chord_size(self, *args: Any) -> None:
        """Of a chord that follows a job: that waits here, and no other job with it."""
        beside(super().set_chord_size, *args)

    def apply_chord(self, *args: Any, **options: Any) -> None:
        beside(super().apply_chord, *args, **options)

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

    def _store(self, results: list[Result]) -> Iterator[Result]:
        """One try; yields each that is done with. Raises what is about the server; what is about
        one result holds up no other.
        """
        yield from self._write([each for each in results if each.join is None])
        for each in results:
            if each.join:
                try:
                    each.join()
                except Exception as error:
                    if self._is_about_server(error):
                        raise
                    _say_dropped(each, error)
                yield each

    def _write(self, results: list[Result]) -> Iterator[Result]:
        """All in one trip, after one that asks what is there if not all are successes.

        A success that is there stays, as in Celery, though another one may take its place: of one
        job they are the same. What is no result is overwritten.
        """
        kept = self._successes([each for each in results if each.state != states.SUCCESS])
        yield from kept
        written = [each for each in results if each not in kept]
        for each, answer in zip(written, self._sent(written), strict=True):
            if isinstance(answer, Exception):
                if self._is_about_server(answer):
                    raise answer
                _say_dropped(each, answer)
            yield each

    def _successes(self, results: list[Result]) -> list[Result]:
        """Those of tasks that have succeeded before."""
        if not results:
            return []
        there = self.client.mget([self.get_key_for_task(each.task_id) for each in results])
        return [each for each, text in zip(results, there, strict=True) if self._succeeded(text)]

    def _succeeded(self, text: Any) -> bool:
        with suppress(Exception):  # it is no result
            return bool(text and self.decode_result(text)["status"] == states.SUCCESS)
        return False

    def _sent(self, results: list[Result]) -> list[Any]:
        """What the server answers to each: an error, or something else."""
        if not results:
            return []
        with self.client.pipeline(transaction=False) as pipe:
            for each in results:
                key = self.get_key_for_task(each.task_id)
                lives = self.failure_expires if each.state == states.FAILURE else self.expires
                pipe.set(key, each.payload, ex=lives or None)
                pipe.publish(key, each.payload)
            answers: list[Any] = pipe.execute(raise_on_error=False)
        return answers[::2]

    def _is_about_server(self, error: Exception) -> bool:
        answered = isinstance(error, self.redis.ResponseError)
        refused = refusal_of(error) is not None
        return isinstance(error, SERVER_ERRORS) and (refused or not answered)


def _say_dropped(result: Result, error: Exception) -> None:
    logger.warning("results: %s; that of %s is dropped", reason(error), result.task_id)


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
