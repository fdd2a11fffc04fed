"""Calls the ledger's functions through a Redis client that is handed in, and loads their library
where the server does not have it: after its first start, a restart without persistence, a failover
or FUNCTION FLUSH.
"""

from typing import Any, TypeVar

from .call import Call, Reply
from .keys import LedgerKeys
from .library import library

R = TypeVar("R", bound=Reply)


class InvalidCall(ValueError):
    """A function refused its arguments, and has written nothing."""


class LibraryMissing(Exception):
    """The server has no library of this version, and this user may not load one."""


class ServerTooOld(Exception):
    """The server knows no functions: it is older than Redis 7 and Valkey 7.2."""


class Functions:
    """`client`: any client of redis-py; `refused`: the exception by which it tells an error reply.

    Raises what the client raises, and the three exceptions above.
    """

    def __init__(self, client: Any, keys: LedgerKeys, refused: type[Exception]) -> None:
        self._client = client
        self._keys = keys.of_calls
        self._refused = refused
        self.library = library(keys.prefix)

    def __call__(self, call: Call[R]) -> R:
        try:
            return self._run(call)
        except self._refused as error:
            if "Function not found" not in str(error):
                raise
        self.load()
        return self._run(call)

    def _run(self, call: Call[R]) -> R:
        name = self.library.function(call.function)
        try:
            reply = self._client.fcall(name, len(self._keys), *self._keys, *call.arguments)
            return call.read(reply)
        except self._refused as error:
            raise _explained(error) from None

    def load(self) -> None:
        """Load the library; nothing happens if it is there."""
        try:
            self._client.function_load(self.library.text)
        except self._refused as error:
            text = str(error)
            if "already exists" in text:
                return
            if type(error).__name__ == "NoPermissionError":
                raise LibraryMissing(
                    "the ledger's server has no functions of this version yet. "
                    "Fix: start a worker of the same version; it loads them"
                ) from None
            raise _explained(error) from None

    def delete(self, name: str) -> None:
        """Delete a library that is needed no more."""
        try:
            self._client.function_delete(name)
        except self._refused as error:
            if "not found" not in str(error).lower():
                raise


def _explained(error: Exception) -> Exception:
    text = str(error)
    if text.startswith("INVALID "):
        return InvalidCall(text)
    if "unknown command" in text.lower():
        fix = "use a newer server, or one where FUNCTION and FCALL are not renamed"
        return ServerTooOld(f"Redis 7 or Valkey 7.2 is needed. Fix: {fix}")
    return error
