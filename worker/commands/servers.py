"""The Redis servers that commands talk to, and the one wording for a server that is away.

They are opened from the settings that they need and no others, and closed afterwards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import click

from producer.contract.errors import InvalidRequest
from producer.contract.identifiers import visible
from producer.contract.user_ids import MOST, alike, checked_user
from producer.redis_trouble import described

from ..ledger.connection import ERRORS, LedgerConnection, Redis, RedisError
from ..ledger.ledger import Ledger
from ..monitoring.health import Health
from ..settings import HealthSettings, LedgerSettings, load, load_redis


class SaidName(click.ParamType[str]):
    """A name that a user or group can have, as it is said."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return checked_user(value)
        except InvalidRequest:
            wanted = f"1 to {MOST} characters that can be printed"
            shown = visible(value, keep="")[:60]
            self.fail(f'"{shown}" is no name: it needs {wanted}', param, ctx)


class UserName(SaidName):
    """A user as the ledger names them."""

    name = "user"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return alike(super().convert(value, param, ctx), load_redis().user_ids)


class Server(NamedTuple):
    """A connection, and where its URL is set."""

    redis: Redis
    url: str
    variables: str = "REDIS_URL and LEDGER_URL"

    def answers(self) -> bool:
        try:
            return bool(self.redis.ping())
        except ERRORS:
            return False


@contextmanager
def answering(*servers: Server) -> Iterator[None]:
    """A block that needs these servers; it closes them.

    If one is away the command ends with exit code 1 and a message that names it.
    """
    try:
        yield
    except RedisError as error:
        away = servers[0]
        if len(servers) > 1:
            away = next((each for each in servers if not each.answers()), away)
        text = described(away.url, error, away.variables)
        raise click.ClickException(text) from None
    finally:
        for server in servers:
            server.redis.close()


@contextmanager
def ledger_connection() -> Iterator[LedgerConnection]:
    """The ledger, from the Redis settings alone. Raises `SettingsError`."""
    connection = LedgerConnection(load_redis())
    with answering(Server(connection.redis, connection.settings.ledger)):
        yield connection


def operators_ledger(connection: LedgerConnection) -> Ledger:
    """For a command that submits, cancels or drops jobs and works on none."""
    return Ledger(connection.redis, connection.keys, LedgerSettings(), "operator")


def fleet_health(connection: LedgerConnection) -> Health:
    """From the thresholds alone. Raises `SettingsError`."""
    return Health(connection, load(HealthSettings))
