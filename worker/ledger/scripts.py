"""Loads the ledger's Lua scripts. It knows file names and Redis's EVALSHA dance, not what a script
means.
"""

from functools import cache
from importlib import resources
from typing import Any

from producer.contract import ledger

from .connection import Redis


class Scripts:
    """The scripts of one server and root, each registered once and called by name."""

    def __init__(self, redis: Redis, root: str) -> None:
        self._redis = redis
        self._root = root
        self._registered: dict[str, Any] = {}

    def __call__(self, name: str, *argv: str | int) -> list[Any]:
        """Run script `name` with `argv`; its reply, as its header documents. Raises what
        `store.ERRORS` lists.
        """
        if name not in self._registered:
            self._registered[name] = self._redis.register_script(text(name))
        reply = self._registered[name](keys=[self._root], args=argv)
        return reply if isinstance(reply, list) else [reply]


@cache
def text(name: str) -> str:
    """The script as sent to the server: shared ones from the contract, the worker's from `lua/`."""
    if name in ("submit", "cancel", "status", "batch"):
        return ledger.script(name)
    return ledger.common() + resources.files(__package__).joinpath(f"lua/{name}.lua").read_text(
        encoding="utf-8"
    )
