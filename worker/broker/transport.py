"""kombu's Redis transports with their lost connections cured; `install` puts them behind
`redis://`, `rediss://` and `sentinel://`.

kombu 5.7 still talks through the channel of a lost connection: to put unacknowledged messages back
while it closes it a second time, and to acknowledge what ends later. Both raise AttributeError,
which ends the worker. Neither is needed: the sweep and the visibility timeout bring back what was
lost, and the ledger drops what comes twice.

An entry that is no message of ours ends a worker as well, or has it print the body; here it goes to
`QUARANTINE`.
"""

import hashlib
import json
import logging
from queue import Empty
from typing import Any

from kombu import transport as kombu_transport
from kombu.transport import redis

from producer.contract.names import QUARANTINE, QUEUES

from .entries import unsound

logger = logging.getLogger(__name__)

KEPT = 1000
"""Entries in quarantine; older ones go."""
KEPT_BYTES = 65_536
"""Of each entry."""
KEPT_S = 7 * 86_400


class QoS(redis.QoS):
    """Says nothing on a closed channel."""

    def ack(self, delivery_tag: str) -> None:
        if not self.channel.closed:
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if not self.channel.closed:
            super().reject(delivery_tag, requeue)


class Channel(redis.Channel):
    QoS = QoS

    @property
    def do_restore(self) -> bool:  # type: ignore[override]
        """Whether closing puts unacknowledged messages back: only while there is a connection to do
        it through.
        """
        return self.connection.client is not None

    def _brpop_read(self, **options: Any) -> bool:
        """As kombu's, but what is not sound is put aside, and so is what Celery cannot take all the
        same.
        """
        try:
            taken = self._brpop_reply(options)
            if not taken:
                raise Empty
            queue, item = taken[0].decode().rsplit(self.sep, 1)[0], taken[1]
            self._queue_cycle.rotate(queue)
            reason = unsound(item) if queue in QUEUES.values() else ""
            if reason:
                self._put_aside(queue, item, reason)
            else:
                self._hand_over(queue, item)
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

    def _hand_over(self, queue: str, item: bytes) -> None:
        message = json.loads(item)
        try:
            self.connection._deliver(message, queue)
        except self.connection_errors:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it is, it must not end the worker
            self.qos.ack(message["properties"]["delivery_tag"])
            self._put_aside(queue, item, f"{type(error).__name__} in Celery")

    def _put_aside(self, queue: str, item: bytes, reason: str) -> None:
        digest = hashlib.sha256(item).hexdigest()
        logger.error(
            "QUARANTINED: an entry of %s, sha256 %s: %s. See: completions dead quarantine",
            queue,
            digest,
            reason,
        )
        note = {"queue": queue, "reason": reason, "bytes": len(item), "sha256": digest}
        with self.conn_or_acquire() as client, client.pipeline() as pipe:
            pipe.lpush(
                QUARANTINE, json.dumps(note | {"entry": item[:KEPT_BYTES].decode(errors="replace")})
            )
            pipe.ltrim(QUARANTINE, 0, KEPT - 1)
            pipe.expire(QUARANTINE, KEPT_S)
            pipe.execute()


class Transport(redis.Transport):
    Channel = Channel


class SentinelChannel(Channel, redis.SentinelChannel):
    """The cure first, then what kombu knows of Sentinels."""


class SentinelTransport(redis.SentinelTransport):
    Channel = SentinelChannel


def install() -> None:
    """Have kombu use these transports in this process from its next connection on.

    By URL scheme and not as Celery's `broker_transport`: when kombu goes on to the next Sentinel it
    looks the transport up by its URL again. It remembers what it found, so that is forgotten here.
    """
    ours = {"redis": "Transport", "rediss": "Transport", "sentinel": "SentinelTransport"}
    for scheme, name in ours.items():
        kombu_transport.TRANSPORT_ALIASES[scheme] = f"{__name__}:{name}"
        kombu_transport._transport_cache.pop(scheme, None)
