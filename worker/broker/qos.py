"""kombu's book of the messages that were taken and are not done with, corrected for ids."""

from time import monotonic
from typing import Any, NamedTuple

from kombu.transport import redis, virtual

from .entries import entry_of, is_id


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
