"""Pools of connections to Redis: bounded, never shared with a forked child, and young if need be.

Firewalls, NATs and load balancers forget connections that were idle, and tell nobody: what is sent
there gets no answer, ever. Asking first whether one still works would cost a timeout where it does
not; a new one costs a millisecond.
"""

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

import redis
import redis.sentinel
from redis.sentinel import SentinelConnectionPool

from . import forks

IDLE_S = 20.0
"""A connection that was idle for longer is opened anew. Of common walls the most impatient forget
after 60 s; Azure's after 240 s, AWS's after 350 s.
"""
PIECE_BYTES = 65_536
"""Of a command; each is sent within a timeout of its own."""
WAIT_S = 5.0
"""For a connection of a pool that has none free, where its user does not say."""

_pools: WeakSet[Any] = WeakSet()


def left_by_children(pool: Any) -> Any:
    """The pool of redis-py; a forked child closes its copies of the sockets, and makes new ones."""
    _pools.add(pool)
    return pool


class BoundedPool(redis.ConnectionPool):
    """Of at most `max_connections`. Who finds none free waits for one; redis-py's own would raise.

    Raises redis-py's `ConnectionError` after `wait_s`.
    """

    def __init__(self, *args: Any, wait_s: float = WAIT_S, **options: Any) -> None:
        self._wait_s = wait_s
        super().__init__(*args, **options)
        left_by_children(self)

    def reset(self) -> None:
        self._places = threading.Semaphore(self.max_connections)
        super().reset()

    def get_connection(self, *args: Any, **options: Any) -> Any:
        forks.notice()
        places = self._places
        if not places.acquire(timeout=self._wait_s):
            most = self.max_connections
            raise redis.ConnectionError(f"all {most} connections of this process are in use")
        try:
            connection: Any = self._quiet() or super().get_connection(*args, **options)
        except BaseException:
            places.release()
            raise
        connection.places = places
        return connection

    def release(self, connection: Any) -> None:
        places = connection.__dict__.pop("places", None)
        if not self._kept(connection):
            super().release(connection)
        if places:
            places.release()

    def _quiet(self) -> Any:
        """The last one that was given back, if its server has said nothing since: then it is open,
        and nothing is left of a reply. redis-py finds out by some ten times the CPU.
        """
        with self._lock:
            if not self._available_connections:
                return None
            connection: Any = self._available_connections[-1]
            if not _is_quiet(connection._sock):
                return None
            self._available_connections.pop()
            self._in_use_connections.add(connection)
            return connection

    def _kept(self, connection: Any) -> bool:
        """Whether it is one of this pool's to be used again, and is given back."""
        with self._lock:
            ours = self.pid == os.getpid() and connection in self._in_use_connections
            if not ours or not self.owns_connection(connection) or connection.should_reconnect():
                return False
            self._in_use_connections.remove(connection)
            self._available_connections.append(connection)
            return True


def _is_quiet(sock: Any) -> bool:
    """Of a plain socket, where it can be polled (not on Windows, nor in eventlet); TLS says things
    of its own.
    """
    if type(sock) is not socket.socket or not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return not poll.poll(0)


class BoundedSentinelPool(BoundedPool, SentinelConnectionPool):
    """Of the master that Sentinels know."""


class YoungPool(BoundedPool):
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


class OneTrip(redis.Redis):
    """Sends each command once, and reads its reply: all that calls without retries need. What
    redis-py does beside that, for retries and measurements, is most of what a call costs.
    """

    def execute_command(self, *args: Any, **options: Any) -> Any:
        pool = self.connection_pool
        parse: Any = self.parse_response
        connection: Any = pool.get_connection()
        try:
            connection.send_packed_command(packed(args) or connection.pack_command(*args))
            return parse(connection, args[0], **options)
        except (redis.ConnectionError, redis.TimeoutError, OSError):
            connection.disconnect()
            raise
        finally:
            pool.release(connection)


def packed(args: tuple[Any, ...]) -> list[bytes]:
    """A command by Redis's protocol, in pieces that a slow line sends in one timeout. [] if it has
    other arguments than texts, bytes and whole numbers.
    """
    name, *rest = args
    words = [*name.split(), *rest]  # "FUNCTION LOAD"
    found = [b"*%d\r\n" % len(words)]
    for each in words:
        if type(each) is str:
            each = each.encode()
        elif type(each) is int:
            each = b"%d" % each
        elif type(each) is not bytes:
            return []
        found.append(b"$%d\r\n%b\r\n" % (len(each), each))
    whole = b"".join(found)
    return [whole[at : at + PIECE_BYTES] for at in range(0, len(whole), PIECE_BYTES)]


BOUNDED = (BoundedPool, BoundedSentinelPool)
YOUNG = (YoungPool, YoungSentinelPool)
"""For `RedisUrl.client`."""


class Sentinel(redis.sentinel.Sentinel):
    """Whose pools are `YoungSentinelPool`; for Celery, which names none."""

    def master_for(self, *args: Any, **options: Any) -> Any:
        options |= {"connection_pool_class": YoungSentinelPool}
        return super().master_for(*args, **options)  # type: ignore[no-untyped-call]


@forks.in_each_child
def _leave_to_parent() -> None:
    """Close this process's copies of the sockets: the parent's stay open, and nothing is said on
    them.
    """
    for pool in list(_pools):
        for each in _with_sentinels(pool):
            each._lock, each._fork_lock = threading.RLock(), threading.RLock()
            for connection in [*each._available_connections, *each._in_use_connections]:
                sock, connection._sock = connection._sock, None
                if sock is not None:
                    sock.close()
            each.reset()


def _with_sentinels(pool: Any) -> Iterator[Any]:
    yield pool
    manager = getattr(pool, "sentinel_manager", None)
    if manager is not None:
        for sentinel in manager.sentinels:
            yield sentinel.connection_pool
