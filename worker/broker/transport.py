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
from typing import Any

from kombu import serialization
from kombu import transport as kombu_transport
from kombu.entity import Queue
from kombu.transport import redis

from producer.channels import OnePool
from producer.contract.names import FleetNames

from . import released_ids
from .entries import NO_QUEUE, NOTHING, Unsound, message_of
from .qos import QoS

logger = logging.getLogger(__name__)

MOST = 16
"""Entries that one trip takes."""
KEPT = 1000
"""Entries in quarantine; older ones are dropped."""
KEPT_BYTES = 65_536
"""Of each entry."""
KEPT_S = 7 * 86_400


class Channel(OnePool, redis.Channel):
    QoS = QoS
    _pops_many = True
    _takes = False
    """Whether ids were asked for behind the entry that is waited for."""

    @property
    def do_restore(self) -> bool:  # type: ignore[override]
        """Whether closing puts unacknowledged messages back: only while there is a connection."""
        return self.connection.client is not None

    def _most(self) -> int:
        """Entries to take in one trip: half of the room there is, so that others get some, too."""
        if not set(self.active_queues) <= set(self._names.queues.values()):
            return 1
        room = self.qos.can_consume_max_estimate()
        return MOST if room is None else max(1, min(MOST, (room + 1) // 2))

    def _brpop_start(self, timeout: float | None = None) -> None:
        """As kombu's, but several of the first queue that has any, if the server knows how to.

        Where messages may have arguments, one, and what `released_ids` says of the ledger's ids.
        """
        most = self._most()
        if most == 1 or self._adopts or not self._pops_many:
            super()._brpop_start(timeout)
            self._takes = most > 1 and bool(self._ledger)
            if self._takes:
                lanes = self._names.lanes_of(self.active_queues.__contains__)
                take = released_ids.command(self._ledger, most - 1, lanes)
                connection = self.client.connection
                # A health check would wait for its reply behind the entry.
                packed = connection.pack_command(*take)
                connection.send_packed_command(packed, check_health=False)
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
            taken = self._taken()
            if popped:
                key, entries = popped
                queue, *_ = key.decode().rsplit(self.sep, 1)
                self._queue_cycle.rotate(queue)
                found = entries if isinstance(entries, list) else [entries]
                taken = [*((queue, entry) for entry in found), *taken]
            if not taken:
                raise Empty
            for queue, entry in taken:
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

    def _taken(self) -> list[tuple[str, bytes]]:
        """(queue, entry) of the ids that were asked for; none if the ledger did not say.

        Those in a reply that is lost are published again by the sweep.
        """
        if not self._takes:
            return []
        self._takes = False
        try:
            reply = self.client.parse_response(self.client.connection, "FCALL")
        except self.connection_errors as error:
            if not isinstance(error, self.ResponseError):
                self.client.connection.disconnect()
            return []
        taken = released_ids.TakeReply.parse(reply)
        queues = self._names.queues
        found = [(queues["interactive"], entry) for entry in taken.interactive]
        return [*found, *((queues["batch"], entry) for entry in taken.batch)]

    def _message(self, queue: str, entry: bytes) -> dict[str, Any]:
        if queue in self._names.queues.values():
            return message_of(entry, queue, self._adopts)
        return dict(json.loads(entry))

    @property
    def _adopts(self) -> bool:
        return bool(self.connection.client.transport_options.get("adopt_foreign_messages"))

    @property
    def _ledger(self) -> str:
        """The prefix of the ledger whose server this is, too; "" if it is elsewhere."""
        return str(self.connection.client.transport_options.get("ledger_here", ""))

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
