"""What this process uses: the producer's settings, and its client of the ledger.

redis-py is loaded with the client: it would be a quarter of what importing `complete` takes.
"""

from typing import TYPE_CHECKING

from . import forks
from .contract.ledger.keys import LedgerKeys
from .settings import ProducerSettings, load

if TYPE_CHECKING:
    from .ledger_client import LedgerClient

_settings: ProducerSettings | None = None
_client: "LedgerClient | None" = None


def current_settings() -> ProducerSettings:
    """What `use_settings` set, else the environment's. Raises `SettingsError`."""
    global _settings
    _settings = _settings or load()
    return _settings


def use_settings(settings: ProducerSettings) -> None:
    """For the whole process. A connection to the ledger that was in use is closed."""
    global _settings, _client
    _settings = settings
    if _client:
        _client.close()
    _client = None


def ledger() -> "LedgerClient":
    """The process's client, made on first use. Raises `SettingsError`."""
    global _client
    forks.notice()
    if _client is None:
        made = _new_client()
        _client = _client or made  # loading takes a while: another thread may have been faster
    return _client


def _new_client() -> "LedgerClient":
    from .ledger_client import LedgerClient

    settings = current_settings()
    keys = LedgerKeys(settings.prefix, settings.is_one_server)
    return LedgerClient(settings.ledger, keys, settings.ledger_connections)


def connection_errors() -> tuple[type[Exception], ...]:
    """By which redis-py tells that a server is away, or refuses."""
    from .ledger_client import CONNECTION_ERRORS

    return CONNECTION_ERRORS
