"""Exchanges of given bytes, hundreds a second: adapters and their server on one event loop."""

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from producer.contract.requests import CompletionRequest
from worker.providers import Call, Reply, load
from worker.providers.sending import begin

KEY, PROMPT = "sk-secret-key", "the secret prompt"
PATHS = {"openai": "/v1", "openai-responses": "/v1", "anthropic": "", "gemini": ""}
MODELS = {
    "openai": "gpt-4o-mini",
    "openai-responses": "gpt-5-pro",
    "anthropic": "claude-haiku-4-5",
    "gemini": "gemini-2.5-flash-lite",
}
AT_ONCE = 24


@dataclass(frozen=True)
class Exchange:
    """What one adapter is answered: a whole HTTP response, as bytes."""

    name: str
    adapter: str
    response: bytes = field(repr=False)
    model: str = ""
    options: tuple[tuple[str, str], ...] = ()
    streams: bool = False
    request: CompletionRequest | None = field(default=None, repr=False)
    """None: a plain one."""


@dataclass(frozen=True)
class Outcome:
    """What left the adapter, and how many requests the server has read."""

    exchange: Exchange
    result: Reply | BaseException
    requests: int


def http(status: int, body: bytes, headers: list[tuple[str, str]] = ()) -> bytes:
    """A response; the headers that say how long it is are added."""
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers)]
    if status in (204, 304):
        body = b""
    else:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


def play(exchanges: list[Exchange], timeout_s: float = 30.0) -> list[Outcome]:
    """Each in a call of its own over a real socket and the real SDK; one client per kind."""
    return asyncio.run(_play(exchanges, timeout_s))


async def _play(exchanges: list[Exchange], timeout_s: float) -> list[Outcome]:
    seen: Counter[str] = Counter()
    responses = {f"call-{n}": each.response for n, each in enumerate(exchanges)}
    server = await asyncio.start_server(_serving(responses, seen), "127.0.0.1", 0, limit=2**22)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    clients: dict[object, Any] = {}
    room = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, exchange: Exchange) -> Outcome:
        kind = (exchange.adapter, exchange.options)
        if kind not in clients:
            path = url + PATHS[exchange.adapter]
            clients[kind] = load(exchange.adapter)(path, KEY, dict(exchange.options))
        call = _call(f"call-{number}", exchange, timeout_s)
        async with room:
            result = await _result(clients[kind], call)
        return Outcome(exchange, result, seen[call.job_id])

    outcomes = await asyncio.gather(*(one(*each) for each in enumerate(exchanges)))
    for client in clients.values():
        await client.aclose()
    server.close()
    return outcomes


async def _result(client: Any, call: Call) -> Reply | BaseException:
    begin()  # as `Clients` does: this thread may have made calls before, whose note tasks inherit
    try:
        async with asyncio.timeout(call.timeout_s):
            return await client.complete(call)
    except BaseException as error:
        return error


def _call(job_id: str, exchange: Exchange, timeout_s: float) -> Call:
    plain = [{"role": "user", "content": PROMPT}]
    request = exchange.request or CompletionRequest.checked(messages=plain)
    model = exchange.model or MODELS[exchange.adapter]
    return Call(job_id, model, request, 50, 0.5, timeout_s, streams=exchange.streams)


def _serving(responses: dict[str, bytes], seen: Counter[str]):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
                await reader.readexactly(int(length[1]) if length else 0)
                name = re.search(rb"x-client-request-id: *([\w-]+)", head, re.IGNORECASE)
                job_id = name[1].decode()
                seen[job_id] += 1
                writer.write(responses[job_id])
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    return serve
