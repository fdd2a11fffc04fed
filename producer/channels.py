"""kombu's channels with one pool of connections each, and the few that publish for a producer.

kombu has two pools a channel, so that one that only publishes keeps two connections, and builds a
client for each command.
"""

from typing import Any

from kombu.connection import ConnectionPool, PooledConnection
from kombu.pools import ProducerPool
from kombu.transport import redis

from .connections import left_by_children


class OnePool:
    """What a channel of kombu's Redis transports does otherwise."""

    async_pool: Any
    _commands: Any = None

    @property
    def pool(self) -> Any:
        return self.async_pool

    def _create_client(self, asynchronous: bool = False) -> Any:
        """One for all commands of a connection: kombu makes one for each, some 0.2 ms of CPU.

        Not its `client`, whose connection waits for messages.
        """
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]
        if self._commands is None or self._commands.connection_pool is not self.pool:
            self._commands = super()._create_client()  # type: ignore[misc]
        return self._commands

    def _get_pool(self, asynchronous: bool = False) -> Any:
        return left_by_children(super()._get_pool(asynchronous))  # type: ignore[misc]


class _Channel(OnePool, redis.Channel):
    pass


class _SentinelChannel(OnePool, redis.SentinelChannel):
    pass


class _Transport(redis.Transport):
    Channel = _Channel


class _SentinelTransport(redis.SentinelTransport):
    Channel = _SentinelChannel


_OURS = {redis.Transport: _Transport, redis.SentinelTransport: _SentinelTransport}
"""kombu's -> ours. Its table of transports is left alone: it is the host's, too."""


class _Connection(PooledConnection):
    def get_transport_cls(self) -> Any:
        found = super().get_transport_cls()
        return _OURS.get(found, found)


class Connections(ConnectionPool):
    """At most `limit` that publish. Not of kombu's own pools, whose limit is the host's, too."""

    def new(self) -> Any:
        return _Connection(self, **dict(self.connection._info(resolve=False)))


def publishers(connection: Any, limit: int) -> tuple[Connections, ProducerPool]:
    """Pools for Celery, made from a connection that is not opened."""
    connections = Connections(connection, limit)
    return connections, ProducerPool(connections, limit)
