"""kombu's Redis transport with its lost connections cured; importing it puts it behind `redis://` and `rediss://`.

kombu 5.7 still talks through the channel of a lost connection: to put unacknowledged messages back while it closes it a
second time, and to acknowledge what ends later. Both raise AttributeError, which ends the worker. Neither is needed: the
sweep and the visibility timeout bring back what was lost, and the ledger drops what comes twice.
"""

from kombu.transport import TRANSPORT_ALIASES, redis


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
        """Whether closing puts unacknowledged messages back: only while there is a connection to do it through."""
        return self.connection.client is not None


class Transport(redis.Transport):
    Channel = Channel


TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), f"{__name__}:Transport"))
