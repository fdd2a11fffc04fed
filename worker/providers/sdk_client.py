"""httpx2's client for the SDKs that take one, over connections of ours.

An SDK takes 0.6 ms of CPU to write a request, most of it for a head that says the same each time.
So it writes the first of each kind, and what follows says that again (`repeat`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

from .sending import current
from .transport import session

HttpResponse = httpx2.Response

_OF_ONE = ("accept-encoding", "content-length")
"""Headers that aiohttp writes itself: what it can unpack, and how long this body is."""


@dataclass(frozen=True)
class Head:
    """What an SDK wrote before the body of a request, its key with it."""

    url: str
    headers: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, response: HttpResponse) -> Self:
        request = response.request
        return cls(str(request.url), _sent(request))


class Client(httpx2.AsyncClient):
    def __init__(self) -> None:
        self._connections = session()
        super().__init__(transport=_Transport(self._connections), trust_env=False)

    async def repeat(self, head: Head, headers: Mapping[str, str], body: dict[str, Any]) -> None:
        """Post a body behind that head, with `headers` (names in lower case) in place of its own.

        What is answered is noted in `sending.current()`. Raises as `transport.session` does.
        """
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        await self._connections.post(
            head.url,
            headers={**head.headers, **headers},
            data=text.encode(),
            allow_redirects=False,
        )


class _Transport(httpx2.AsyncBaseTransport):
    """httpx2's requests over a session of ours, which reads the whole of each reply."""

    def __init__(self, connections: Any) -> None:
        self._connections = connections

    async def handle_async_request(self, request: httpx2.Request) -> HttpResponse:
        response = await self._connections.request(
            request.method,
            str(request.url),
            headers=_sent(request),
            data=await request.aread(),
            allow_redirects=False,
        )
        unpacked = (b"content-encoding", b"content-length", b"transfer-encoding")
        return httpx2.Response(
            response.status,
            headers=[each for each in response.raw_headers if each[0].lower() not in unpacked],
            content=current().content,
        )

    async def aclose(self) -> None:
        await self._connections.close()


def _sent(request: httpx2.Request) -> dict[str, str]:
    return {name: text for name, text in request.headers.items() if name not in _OF_ONE}
