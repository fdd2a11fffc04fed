"""The providers' clients of this process, one per link, on the process's event loop; a new one when
a link's key has changed.
"""

import asyncio

from ..faults import Fault, ProviderError
from ..loop import Loop, Stopped
from ..settings import Link
from . import load
from .base import Call, Provider, Reply
from .credentials import Credentials


class _Client:
    """What was built for `link` as it then was; `calls` of it are on the wire."""

    def __init__(self, link: Link) -> None:
        key = link.api_key.get_secret_value() if link.api_key else None
        self.link = link
        self.provider: Provider = load(link.adapter)(link.base_url, key, link.options)
        self.calls = 0


class Clients:
    """Built on first use. What a newer one has replaced is closed when its last call has ended."""

    def __init__(self, loop: Loop, servers: Credentials) -> None:
        self._loop = loop
        self._servers = servers
        self._clients: dict[str, _Client] = {}
        self._replaced: list[_Client] = []
        self._closing: set[asyncio.Task[None]] = set()

    def call(self, link: Link, call: Call) -> Reply:
        """One call on the wire. Raises `ProviderError`; cancelling the job ends it so too."""
        try:
            return self._loop.run(
                lambda: self._complete(link, call), call.timeout_s, key=call.job_id
            )
        except TimeoutError:
            reason = f"no complete answer within {call.timeout_s:.1f} s"
            raise ProviderError(Fault.TIMEOUT, reason, maybe_billed=True) from None
        except Stopped:
            raise ProviderError(Fault.TIMEOUT, "the call was stopped", maybe_billed=True) from None

    def close(self) -> None:
        """Close every client this process opened."""
        for client in [*self._clients.values(), *self._replaced]:
            self._loop.run(client.provider.aclose, deadline_s=2.0, key="close")

    async def _complete(self, link: Link, call: Call) -> Reply:
        """Runs on the loop's thread, as all below, so no two calls build the same client."""
        client = self._client(self._servers.now(link))
        client.calls += 1
        try:
            return await client.provider.complete(call)
        finally:
            client.calls -= 1
            self._close_replaced()

    def _client(self, link: Link) -> _Client:
        known = self._clients.get(link.name)
        if known and known.link == link:
            return known
        client = self._clients[link.name] = _Client(link)
        if known:
            self._replaced.append(known)
        return client

    def _close_replaced(self) -> None:
        """In tasks of their own: a call that was answered waits for no farewell."""
        for client in [each for each in self._replaced if not each.calls]:
            self._replaced.remove(client)
            task = asyncio.get_running_loop().create_task(client.provider.aclose())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
