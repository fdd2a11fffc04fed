"""The steward: a consumer bootstep on every worker that recovers jobs. Any number of them is safe.

Every second: heartbeat, one sweep and the publications it returns, and cancelling in the ledger
what was revoked at Celery (else each publication of it would be revoked again). Every 30 s: renew
the broker's visibility of messages still being worked on. Redis down: it logs that and goes on. A
broker reconnect starts the step anew, with fresh state.
"""

import logging
import math
import os
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from celery import bootsteps
from celery.worker import state

from producer.contract.publication import publish
from producer.redis_trouble import reason

from ..broker import events
from ..ledger.calls import Heard
from ..ledger.connection import ERRORS, Redis, connect
from ..ledger.ledger import Ledger
from ..runtime import current

logger = logging.getLogger(__name__)

PERIOD_S = 1.0
LEAST_S = 0.02
"""At least, between two sweeps when a link has room soon.

A worker with 50 of them a second is busy with jobs, and each end of a job dispatches others too.
"""
LIFE_S = 5.0
"""A worker silent for this long no longer counts as capacity."""
SWEEP_LIMIT = 200
IN_HAND_S = 30.0
"""For how long an id that was taken from the broker is said to be started soon."""
RENEW_S = 30.0
"""Between renewals of visibility; the visibility timeout is 120 s."""


class Steward(bootsteps.StartStopStep):  # type: ignore[misc]
    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._sends: Any = None
        self._revoked: set[str] = set()
        self._renewed = 0.0
        self._differing: tuple[str, ...] = ()
        self._sweeps_from = 0.0

    def start(self, consumer: Any) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(consumer, self._stop), name="steward", daemon=True
        )
        self._thread.start()
        if consumer.hub:
            self._sends = consumer.hub.call_repeatedly(events.PERIOD_S, send_events, consumer)

    def stop(self, consumer: Any) -> None:
        self._stop.set()
        if self._sends:
            self._sends.cancel()
        send_events(consumer)
        if self._thread:
            self._thread.join(timeout=PERIOD_S)
        with suppress(*ERRORS):
            current().ledger.heartbeat(name_of(consumer.hostname), 0, LIFE_S)

    def _run(self, consumer: Any, stop: threading.Event) -> None:
        # Not kombu's connection: that is in the middle of a BRPOP on another thread.
        settings = current().settings.redis
        broker = current().connection.redis
        if not settings.is_one_server:
            broker = connect(settings.broker)
        self._renewed = time.monotonic()
        while not stop.is_set():
            pause = PERIOD_S
            try:
                pause = self._work(consumer, current().ledger, broker)
            except Exception as error:
                expected = isinstance(error, ERRORS)
                logger.warning("steward: %s; trying again", reason(error), exc_info=not expected)
            stop.wait(pause)
        if not settings.is_one_server:
            broker.close()

    def _work(self, consumer: Any, ledger: Ledger, broker: Redis) -> float:
        """Heartbeat, sweep, cancel and renew, each if it is time for it.

        Returns the seconds until the next time: fewer if a link has room for waiting jobs sooner.
        """
        self._warn_of_other_settings(self._heartbeat(consumer, ledger))
        if time.monotonic() < self._sweeps_from:
            return PERIOD_S
        names = current().settings.redis.names
        empty = {lane: broker.llen(queue) == 0 for lane, queue in names.queues.items()}
        room_s, publications = ledger.sweep(SWEEP_LIMIT, empty)
        publish(consumer.app, names, publications)
        self._cancel_revoked(consumer, ledger)
        if time.monotonic() - self._renewed > RENEW_S:
            self._renewed = time.monotonic()
            renew_visibility(consumer.task_consumer.channel, broker)
        return min(PERIOD_S, max(LEAST_S, room_s))

    def _heartbeat(self, consumer: Any, ledger: Ledger) -> Heard:
        """When the ledger was away or refused, nothing is swept until every worker has renewed its
        leases: a sweep would give their jobs, whose calls are paid for, to others.
        """
        try:
            heard = ledger.heartbeat(
                name_of(consumer.hostname),
                slots_of(consumer.controller),
                LIFE_S,
                # -Q, -X and remote control choose them.
                current().settings.redis.names.lanes_of(consumer.task_consumer.consuming_from),
                consumer.task_consumer.channel.qos.taken(IN_HAND_S),
            )
        except ERRORS:
            self._sweeps_from = math.inf
            raise
        if self._sweeps_from == math.inf:
            self._sweeps_from = time.monotonic() + ledger.quiet_s
        return heard

    def _warn_of_other_settings(self, heard: Heard) -> None:
        """Once for each change."""
        if heard.differing and heard.differing != self._differing:
            logger.warning(
                "OTHER_SETTINGS: this worker differs from the fleet in %s; those of %s hold",
                ", ".join(heard.differing),
                heard.ruled_by,
            )
        self._differing = heard.differing

    def _cancel_revoked(self, consumer: Any, ledger: Ledger) -> None:
        """Cancel in the ledger what was revoked at Celery.

        `state.revoked` is every id that Flower or `AsyncResult.revoke` named lately; an id that the
        ledger does not know is not one of its jobs.
        """
        names = current().settings.redis.names
        for job_id in {str(each) for each in list(state.revoked)} - self._revoked:
            _, publications = ledger.cancel(job_id)
            publish(consumer.app, names, publications)
            self._revoked.add(job_id)


def send_events(consumer: Any) -> None:
    """Those that wait. Without a hub none do."""
    if consumer.event_dispatcher:
        consumer.event_dispatcher.flush()


def name_of(hostname: str) -> str:
    """What the ledger calls this process: two workers that -n gives one name are two."""
    machine = socket.gethostname()
    place = "" if machine in hostname else f" at {machine}"
    return f"{hostname}{place}:{os.getpid()}"


def slots_of(controller: Any) -> int:
    """How many jobs the worker runs at once, when its pool has grown as far as it may."""
    return int(controller.max_concurrency or controller.pool.num_processes)


def renew_visibility(channel: Any, broker: Redis) -> None:
    """Tell the broker that unacknowledged messages are still being worked on.

    kombu stamps them with its own clock once and never again; without this, a call longer than the
    visibility timeout is delivered a second time. `unacked_index_key` is kombu's; a test pins it.
    """
    if noted := channel.qos.noted:
        seconds, microseconds = broker.time()
        tags = dict.fromkeys(noted, seconds + microseconds / 1000000.0)
        broker.zadd(channel.unacked_index_key, tags, xx=True)
