"""The providers' clients of this process, one per provider link, on the process's event loop.

A link whose key has changed gets a new client.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from ..faults import About, Fault, ProviderError
from ..loop import Loop, Stopped
from ..settings import Link
from . import load
from .base import Call, Embedder, Provider, Reply
from .credentials import Credentials
from .dialects import dialect_of
from .fixes import with_fix
from .readable import readable
from .sending import begin

PREPARE_S = 3.0
"""For one client: the imports behind it are made before a worker's children are forked."""


class _Client:
    """The adapter built for `link` as it was then; `calls` of it are on the wire."""

    def __init__(self, link: Link) -> None:
        key = None
        if link.api_key:
            key = link.api_key.get_secret_value()
        adapter = load(link.adapter)
        self.link = link
        options = link.options | {"dialect": dialect_of(link)}
        self.provider: Provider = adapter(link.base_url, key, options)
        self.calls = 0


class Clients:
    """Built on first use. A replaced client is closed when its last call has ended."""

    def __init__(self, loop: Loop, credentials: Credentials) -> None:
        self._loop = loop
        self._credentials = credentials
        self._clients: dict[str, _Client] = {}
        self._replaced: list[_Client] = []
        self._closing: set[asyncio.Task[None]] = set()

    def call(self, link: Link, call: Call) -> Reply:
        """Make one call on the wire.

        Raises `ProviderError`, also when the job is cancelled while it waits for the reply.
        """
        sending = begin()
        try:
            return self._loop.run(
                lambda: self._complete(link, call),
                call.timeout_s,
                key=call.job_id,
            )
        except ProviderError as error:
            error.sent = error.sent and sending.written
            raise
        except TimeoutError:
            missing = "complete answer" if sending.written else "connection"
            reason = f"no {missing} within {call.timeout_s:.1f} s"
            about: About = "nothing" if call.hurried else "link"
            raise ProviderError(
                Fault.TIMEOUT, reason, sending.written, about=about, sent=sending.written
            ) from None
        except Stopped:
            reason = "the call was stopped"
            raise ProviderError(
                Fault.TIMEOUT, reason, sending.written, about="nothing", sent=sending.written
            ) from None

    def reload_keys(self) -> None:
        """Before a link is tried that refused its key, or was left for another reason."""
        self._credentials.reload_if_due(refused=True)

    def prepare(self, links: Iterable[Link]) -> None:
        """Build the links' clients now: a job's first call must not wait for that. One that cannot
        be built is told by the calls that need it.
        """
        for link in links:
            with suppress(Exception):
                self.build(link)

    def build(self, link: Link) -> None:
        """Build the link's client, and make no call.

        Raises `ProviderError` that says why it cannot be built.
        """

        async def build() -> None:
            self._built(link)

        self._loop.run(build, PREPARE_S, key="prepare")

    def close(self) -> None:
        """Close every client that this process opened."""
        for client in [*self._clients.values(), *self._replaced]:
            self._loop.run(client.provider.aclose, deadline_s=2.0, key="close")

    async def _complete(self, link: Link, call: Call) -> Reply:
        """Runs on the loop's thread, as all below, so no two calls build the same client."""
        client = self._built(link)
        client.calls += 1
        try:
            if call.request.embedding:
                return await _embed(client.provider, call)
            return readable(await client.provider.complete(call))
        except ProviderError as error:
            raise with_fix(client.link, error) from None
        except Exception as error:  # noqa: BLE001 -- it may hold a key, a prompt or an answer
            reason = f"{type(error).__name__} in the adapter"
            raise ProviderError(Fault.BAD_RESPONSE, reason, maybe_billed=True) from None
        finally:
            client.calls -= 1
            self._close_replaced()

    def _built(self, link: Link) -> _Client:
        """The client of the link as it is now."""
        try:
            return self._client(self._credentials.apply_to(link))
        except ProviderError:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it is, it may hold the key
            reason = f"the client cannot be built: {type(error).__name__}"
            raise ProviderError(Fault.MISCONFIGURED, reason, sent=False) from None

    def _client(self, link: Link) -> _Client:
        current = self._clients.get(link.name)
        if current and current.link == link:
            return current
        client = _Client(link)
        self._clients[link.name] = client
        if current:
            self._replaced.append(current)
        return client

    def _close_replaced(self) -> None:
        """Close them in tasks of their own, so that an answered call does not wait for that."""
        unused = [client for client in self._replaced if not client.calls]
        for client in unused:
            self._replaced.remove(client)
            closing = client.provider.aclose()
            task = asyncio.get_running_loop().create_task(closing)
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def _embed(provider: Provider, call: Call) -> Reply:
    """Only links whose adapter can are selected for such a request."""
    assert isinstance(provider, Embedder)
    return await provider.embed(call)
