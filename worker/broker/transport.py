"""kombu's Redis transports, corrected so that lost connections and wrong entries end no worker.

`install` puts them behind `redis://`, `rediss://` and `sentinel://`.

kombu 5.7 still uses the channel of a lost connection: to put unacknowledged messages back while it
closes it a second time, and to acknowledge messages of jobs that end later. Both raise
AttributeError, which ends the worker. Neither is needed: the sweep and the visibility timeout bring
back lost messages, and the ledger drops duplicates.

An entry that is no message of ours would end a worker as well, or make it print the body; it goes
to the quarantine instead.
"""

import hashlib
import json
import logging
from queue import Empty
from time import monotonic
from typing import Any, NamedTuple

from kombu import serialization
from kombu import transport as kombu_transport
from kombu.entity import Queue
from kombu.transport import redis, virtual

from producer.channels import OnePool
from producer.contract.names import FleetNames

from .entries import NO_QUEUE, NOTHING, Unsound, entry_of, is_id, message_of

logger = logging.getLogger(__name__)

MOST = 16
"""Entries that one trip takes."""
KEPT = 1000
"""Entries in quarantine; older ones are dropped."""
KEPT_BYTES = 65_536
"""Of each entry."""
KEPT_S = 7 * 86_400


class _Taken(NamedTuple):
    queue: str
    message: Any
    at: float
    """By this process's monotonic clock."""


class QoS(redis.QoS):
    """Sends nothing through a closed channel, and nothing about ids of the ledger's.

    Whoever takes one of those and dies loses no job: the sweep finds it. So there is no need for a
    note of it in `unacked`, which kombu writes when it takes a message and removes when that is
    done with. Messages that may have arguments have one.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._ids: dict[str, _Taken] = {}
        """Ids that are worked on, by delivery tag."""

    def append(self, message: Any, delivery_tag: str) -> None:
        if not is_id(message._raw):
            super().append(message, delivery_tag)
            return
        queue = message.delivery_info["routing_key"]
        self._ids[delivery_tag] = _Taken(queue, message._raw, monotonic())
        virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        if self.channel.closed:
            return
        if self._ids.pop(delivery_tag, None):
            virtual.QoS.ack(self, delivery_tag)
        else:
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if self.channel.closed:
            return
        if requeue and delivery_tag in self._ids:
            with self.channel.conn_or_acquire() as client:
                taken = self._ids[delivery_tag]
                client.lpush(taken.queue, entry_of(taken.message))
        elif delivery_tag not in self._ids:
            super().reject(delivery_tag, requeue)
            return
        self.ack(delivery_tag)

    def restore_unacked(self, client: Any = None) -> None:
        """Put back what was taken, at the stop of a worker: next in line, in its order."""
        ids = [self._ids[tag] for tag in self._delivered if tag in self._ids]
        with self.channel.conn_or_acquire(client) as client, client.pipeline(False) as pipe:
            for taken in reversed(ids):
                pipe.rpush(taken.queue, entry_of(taken.message))
            pipe.execute()
        for tag in self._ids:
            self._delivered.pop(tag, None)
        self._ids.clear()
        super().restore_unacked(client)

    def taken(self, within_s: float) -> list[str]:
        """Ids that were taken in the last so many seconds, and are not done with."""
        since = monotonic() - within_s
        return [
            each.message["headers"]["id"] for each in list(self._ids.values()) if each.at > since
        ]

    @property
    def noted(self) -> list[str]:
        """Tags of messages of which `unacked` has a note."""
        return [tag for tag in list(self._delivered) if tag not in self._ids]


class Channel(OnePool, redis.Channel):
    QoS = QoS
    _pops_many = True

    @property
    def do_restore(self) -> bool:  # type: ignore[override]
        """Whether closing puts unacknowledged messages back: only while there is a connection."""
        return self.connection.client is not None

    def _most(self) -> int:
        """Entries to take in one trip: half of the room there is, so that others get some, too.

        Of messages that may have arguments one, so that no second one is lost with this process.
        """
        if self._adopts or not set(self.active_queues) <= set(self._names.queues.values()):
            return 1
        room = self.qos.can_consume_max_estimate()
        return MOST if room is None else max(1, min(MOST, (room + 1) // 2))

    def _brpop_start(self, timeout: float | None = None) -> None:
        """As kombu's, but several of the first queue that has any, if the server knows how to."""
        most = self._most()
        if most == 1 or not self._pops_many:
            super()._brpop_start(timeout)
            return
        queues = self._queue_cycle.consume(len(self.active_queues))
        keys = [self._q_for_pri(each, step) for step in self.priority_steps for each in queues]
        self._in_poll: Any = self.client.connection
        self._brpop_sent_at: Any = monotonic()
        wait_s = self.brpop_timeout if timeout is None else timeout
        count = ("RIGHT", "COUNT", most)
        self.client.connection.send_command("BLMPOP", wait_s or 0, len(keys), *keys, *count)

    def _brpop_read(self, **options: Any) -> bool:
        """As kombu's, but of our queues' entries Celery gets what `message_of` leaves of them.

        Unsound ones are quarantined, and so are those that Celery refuses.
        """
        try:
            popped = self._brpop_reply(options)
            if not popped:
                raise Empty
            key, entries = popped
            queue, *_ = key.decode().rsplit(self.sep, 1)
            self._queue_cycle.rotate(queue)
            for entry in entries if isinstance(entries, list) else [entries]:
                try:
                    self._deliver(queue, entry, self._message(queue, entry))
                except Unsound as reason:
                    self._quarantine(queue, entry, str(reason))
            return True
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()

    def _brpop_reply(self, options: dict[str, Any]) -> Any:
        try:
            return self.client.parse_response(self.client.connection, "BRPOP", **options)
        except self.connection_errors as error:
            if "unknown command" in str(error).lower():
                self._pops_many = False  # a broker older than Redis 7
                return None
            self.client.connection.disconnect()
            raise

    def _message(self, queue: str, entry: bytes) -> dict[str, Any]:
        if queue in self._names.queues.values():
            return message_of(entry, queue, self._adopts)
        return dict(json.loads(entry))

    @property
    def _adopts(self) -> bool:
        return bool(self.connection.client.transport_options.get("adopt_foreign_messages"))

    @property
    def _names(self) -> FleetNames:
        return FleetNames(self.connection.client.transport_options.get("names_root", ""))

    def _deliver(self, queue: str, entry: bytes, message: dict[str, Any]) -> None:
        """What fails with a message that was built here is this worker's fault: the sweep has it
        delivered again, and health tells of jobs that stand still.
        """
        try:
            self.connection._deliver(message, queue)
        except self.connection_errors:
            raise
        except Exception as error:
            self.qos.ack(message["properties"]["delivery_tag"])
            reason = f"{type(error).__name__} in Celery"
            if queue not in self._names.queues.values():
                self._quarantine(queue, entry, reason)
                return
            logger.exception("BROKEN_WORKER: %s: this worker cannot take jobs; they wait", reason)

    def _quarantine(self, queue: str, entry: bytes, reason: str) -> None:
        digest = hashlib.sha256(entry).hexdigest()
        logger.error(
            "QUARANTINED: an entry of %s, sha256 %s: %s. See: completions dead quarantine",
            queue,
            digest,
            reason,
        )
        kept = {
            "queue": queue,
            "reason": reason,
            "bytes": len(entry),
            "sha256": digest,
            "entry": entry[:KEPT_BYTES].decode(errors="replace"),
        }
        key = self._names.quarantine
        with self.conn_or_acquire() as client, client.pipeline() as pipe:
            pipe.lpush(key, json.dumps(kept))
            pipe.ltrim(key, 0, KEPT - 1)
            pipe.expire(key, KEPT_S)
            pipe.execute()


_ERRORS = (*redis.Transport.connection_errors, *redis.Transport.channel_errors)
"""A server that refuses (its disk is full, it became a replica) is waited for, as one that is away:
to kombu that is an error of a channel, which ends the worker.
"""


class Transport(redis.Transport):
    Channel = Channel
    connection_errors = _ERRORS

    def establish_connection(self) -> Any:
        """Raises what the server says if it answers and refuses to be written to.

        So that is waited for here, where the pauses become longer, and not by a loop that connects
        and fails at its first message.
        """
        connection = super().establish_connection()
        try:
            self.channels[-1].client.lpushx(NO_QUEUE, "")
        except self.connection_errors:
            self.close_connection(connection)
            raise
        return connection


class SentinelChannel(Channel, redis.SentinelChannel):
    """Our corrections first, then what kombu knows of Sentinels."""


class SentinelTransport(Transport, redis.SentinelTransport):
    Channel = SentinelChannel


def queues(names: FleetNames) -> tuple[Queue, ...]:
    """Of a fleet's workers, the interactive one first: it is drained first."""
    return tuple(Queue(name, routing_key=name) for name in names.queues.values())


def install() -> None:
    """Have kombu use these transports in this process from its next connection on.

    By URL scheme and not as Celery's `broker_transport`: when kombu tries the next Sentinel, it
    finds the transport by its URL again. Its cache of what it found before is emptied here.
    """
    transports = {
        "redis": "Transport",
        "rediss": "Transport",
        "sentinel": "SentinelTransport",
    }
    serialization.register("no-arguments", None, lambda _: ([], {}, {}), NOTHING, "utf-8")
    for scheme, name in transports.items():
        kombu_transport.TRANSPORT_ALIASES[scheme] = f"{__name__}:{name}"
        kombu_transport._transport_cache.pop(scheme, None)
