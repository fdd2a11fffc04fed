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
from typing import Any

from kombu import transport as kombu_transport
from kombu.entity import Queue
from kombu.transport import redis

from producer.channels import OnePool
from producer.contract.names import FleetNames

from .entries import NO_QUEUE, Unsound, message_of

logger = logging.getLogger(__name__)

KEPT = 1000
"""Entries in quarantine; older ones are dropped."""
KEPT_BYTES = 65_536
"""Of each entry."""
KEPT_S = 7 * 86_400


class QoS(redis.QoS):
    """Sends nothing through a closed channel."""

    def ack(self, delivery_tag: str) -> None:
        if not self.channel.closed:
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if not self.channel.closed:
            super().reject(delivery_tag, requeue)


class Channel(OnePool, redis.Channel):
    QoS = QoS

    @property
    def do_restore(self) -> bool:  # type: ignore[override]
        """Whether closing puts unacknowledged messages back: only while there is a connection."""
        return self.connection.client is not None

    def _brpop_read(self, **options: Any) -> bool:
        """As kombu's, but of our queues' entries Celery gets what `message_of` leaves of them.

        Unsound ones are quarantined, and so are those that Celery refuses.
        """
        try:
            popped = self._brpop_reply(options)
            if not popped:
                raise Empty
            key, entry = popped
            queue, *_ = key.decode().rsplit(self.sep, 1)
            self._queue_cycle.rotate(queue)
            try:
                self._deliver(queue, entry, self._message(queue, entry))
            except Unsound as reason:
                self._quarantine(queue, entry, str(reason))
            return True
        finally:
            self._in_poll: Any = None
            self._flush_brpop_reauth()

    def _brpop_reply(self, options: dict[str, Any]) -> Any:
        try:
            return self.client.parse_response(self.client.connection, "BRPOP", **options)
        except self.connection_errors:
            self.client.connection.disconnect()
            raise

    def _message(self, queue: str, entry: bytes) -> dict[str, Any]:
        if queue in self._names.queues.values():
            options = self.connection.client.transport_options
            return message_of(entry, queue, bool(options.get("adopt_foreign_messages")))
        return dict(json.loads(entry))

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
    for scheme, name in transports.items():
        kombu_transport.TRANSPORT_ALIASES[scheme] = f"{__name__}:{name}"
        kombu_transport._transport_cache.pop(scheme, None)
