"""The worker's only use of the redis library. Other modules catch `ERRORS`."""

import secrets
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from producer.connections import BOUNDED
from producer.contract.ledger.functions import Functions, LibraryMissing, ServerTooOld
from producer.contract.names import FleetNames
from producer.redis_trouble import described, refusal_of
from producer.redis_url import RedisUrl
from producer.settings import READERS

from ..broker.entries import NO_QUEUE
from ..loop.carrier import Carrier
from ..loop.jobs import current_job
from ..settings import RedisSettings
from .fleet_functions import CountSamples
from .keys import Keys
from .server import Server


class Redis(redis.Redis):
    """What jobs of an event loop ask goes to the server together, over one connection of the pool.

    Each has the reply, or the error, that it would have had alone: one whose reply is lost raises.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._carrier = Carrier("ledger", self._exchanged, MOST_TOGETHER)

    def execute_command(self, *args: Any, **options: Any) -> Any:
        if current_job():
            return self._carrier.ask((args, options))
        return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def _exchanged(self, asked: list[tuple[Any, Any]]) -> list[Any]:
        connection: Any = self.connection_pool.get_connection()
        replies: list[Any] = []
        try:
            packed = connection.pack_commands([args for args, _ in asked])
            connection.send_packed_command(packed)
            for (name, *_), options in asked:
                replies.append(self._reply(connection, name, options))
        except Exception as error:  # noqa: BLE001 -- it is for those whose replies are lost
            connection.disconnect()
            replies += [error] * (len(asked) - len(replies))
        finally:
            self.connection_pool.release(connection)
        return replies

    def _reply(self, connection: Any, name: str, options: Any) -> Any:
        try:
            return self.parse_response(connection, name, **options)  # type: ignore[no-untyped-call]
        except redis.ResponseError as error:
            return error


RedisError = redis.RedisError
_LIBRARY = SimpleNamespace(Redis=Redis, sentinel=redis.sentinel)

__all__ = [
    "ERRORS",
    "Keys",
    "LedgerConnection",
    "Redis",
    "RedisError",
    "ServerTrouble",
    "connect",
    "is_its_own",
    "ledger_functions",
    "server_at",
    "troubles_of",
    "unsafe_server",
]

ERRORS: tuple[type[Exception], ...] = (
    redis.RedisError,
    OSError,
    LibraryMissing,
    ServerTooOld,
)
"""What a call raises when the server is down, frozen, read-only or out of memory, or cannot run the
ledger's functions.
"""

CONNECT_TIMEOUT_S = 3.0
BROKER_CONNECTIONS = 7
"""Of a worker's main process: one waits for messages and two for remote control and its peers, two
publish, one sends events, one acknowledges.
"""
LEAST_CONNECTIONS = 2
"""To the ledger: leases are renewed beside a request of megabytes."""

MOST_TOGETHER = 64
"""Calls that go to the ledger in one trip. The server takes a millisecond for each."""

NO_RESULT = "none"
"""A job whose result there never is, so that SET with XX writes nothing."""


class LedgerConnection:
    """The ledger's server and the names of its keys. Needs Redis settings only."""

    def __init__(self, settings: RedisSettings) -> None:
        self.settings = settings
        self.keys = Keys(settings.prefix, settings.is_one_server)
        left = settings.max_connections - BROKER_CONNECTIONS - READERS
        self.redis: Redis = connect(settings.ledger, connections=max(LEAST_CONNECTIONS, left))
        self.functions = ledger_functions(self.redis, self.keys)

    def hash_key(self) -> bytes:
        """The fleet's key for prompt hashes; the first worker makes it."""
        self.redis.set(self.keys.hash_key, secrets.token_hex(32), nx=True)
        return str(self.redis.get(self.keys.hash_key)).encode()

    def close(self) -> None:
        self.redis.close()


def connect(url: str, timeout_s: float = 5.0, connections: int = 1) -> Redis:
    """A pooled client, safe across threads, that never retries by itself.

    How long to wait for a server, or for one of its `connections`, is the caller's decision. A
    frozen one costs `timeout_s` per call, not the client's default of ten retries.
    """
    connect_timeout_s = min(timeout_s, CONNECT_TIMEOUT_S)
    client: Redis = RedisUrl.parse(url).client(
        _LIBRARY,
        connect_timeout_s,
        BOUNDED,
        max_connections=connections,
        wait_s=timeout_s,
        decode_responses=True,
        socket_timeout=timeout_s,
        socket_connect_timeout=connect_timeout_s,
        socket_keepalive=True,
        health_check_interval=15,
        retry=Retry(NoBackoff(), 0),
    )
    return client


def ledger_functions(server: Redis, keys: Keys) -> Functions:
    """The ledger's functions at this server."""
    return Functions(server, keys, redis.ResponseError)


def is_its_own(error: Exception) -> bool:
    """Whether the server is in trouble, whatever it is asked: it is away, or refuses everybody."""
    if isinstance(error, redis.ResponseError):
        return refusal_of(error) is not None
    return isinstance(error, (redis.RedisError, LibraryMissing, ServerTooOld))


class ServerTrouble(NamedTuple):
    """A server of ours that does not take what is written to it."""

    name: str
    """"ledger", "broker" or "results"."""
    refuses: bool
    """It answers, and refuses; else it is away."""
    text: str


def troubles_of(connection: LedgerConnection) -> list[ServerTrouble]:
    """Of the ledger's, broker's and results' servers: which refuse to be written to, or are away.

    Each is asked for something that is refused like any other write and changes nothing. Raises
    what a ledger raises that is away.
    """
    settings = connection.settings
    found = []
    try:
        connection.functions(CountSamples(()))
    except redis.ResponseError as error:
        found.append(ServerTrouble("ledger", True, described(settings.ledger, error)))
    if not settings.is_one_server:
        found += _trouble("broker", settings.broker, "CELERY_BROKER_URL", _write_to_broker)
    if settings.backend != settings.ledger:
        found += _trouble(
            "results",
            settings.backend,
            "CELERY_RESULT_BACKEND",
            partial(_write_result, settings.names),
        )
    return found


def _trouble(
    name: str, url: str, variable: str, write: Callable[[Redis], object]
) -> list[ServerTrouble]:
    client = connect(url)
    try:
        write(client)
    except ERRORS as error:
        text = described(url, error, f"REDIS_URL and {variable}")
        return [ServerTrouble(name, refusal_of(error) is not None, text)]
    finally:
        client.close()
    return []


def _write_to_broker(broker: Redis) -> object:
    return broker.lpushx(NO_QUEUE, "")


def _write_result(names: FleetNames, results: Redis) -> object:
    return results.set(names.results + NO_RESULT, "", xx=True)


def server_at(client: Redis) -> Server | None:
    """What it says of itself. None: nothing, or not to this user. Raises what a server raises that
    is away.
    """
    try:
        info: dict[str, Any] = client.info()
    except redis.ResponseError:
        return None
    return Server.of(info)


def unsafe_server(client: Redis) -> list[str]:
    """Warnings about a ledger's server where it can lose jobs, each with its fix.

    Empty if it does not say.
    """
    try:
        server = server_at(client)
    except ERRORS:
        return []
    return list(server.can_lose_jobs()) if server else []
