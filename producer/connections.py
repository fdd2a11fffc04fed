"""Connections to Redis that are used only while they are young.

Firewalls, NATs and load balancers forget connections that were idle, and tell nobody: what is sent
there gets no answer, ever. Asking first whether one still works would cost a timeout where it does
not; a new one costs a millisecond.
"""

import time
from typing import Any

import redis
from redis.sentinel import SentinelConnectionPool

IDLE_S = 20.0
"""A connection that was idle for longer is opened anew. Of common walls the most impatient forget
after 60 s; Azure's after 240 s, AWS's after 350 s.
"""


class YoungPool(redis.ConnectionPool):
    def get_connection(self, *args: Any, **options: Any) -> Any:
        connection: Any = super().get_connection(*args, **options)
        if time.monotonic() - getattr(connection, "given_back", time.monotonic()) > IDLE_S:
            connection.disconnect()
            try:
                connection.connect()
            except BaseException:
                self.release(connection)
                raise
        return connection

    def release(self, connection: Any) -> None:
        connection.given_back = time.monotonic()
        super().release(connection)


class YoungSentinelPool(YoungPool, SentinelConnectionPool):
    """Of the master that Sentinels know."""


YOUNG = (YoungPool, YoungSentinelPool)
"""For `RedisUrl.client`."""
