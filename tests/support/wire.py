"""A provider's side of the wire: a server that speaks their protocols, misbehaves and counts.

In a test: `with WireServer() as wire: wire.script = lambda request, number: "429;ra=2"`. As a
process of its own, so that it outlives what a fault test kills: `python tests/support/wire.py
--port 8999 --script "ok;delay=5" --log calls.jsonl`.
"""

import argparse
import asyncio
import json
import random
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from pathlib import Path

from aiohttp import web

sys.path.append(str(Path(__file__).parents[1]))  # when run as a program

from support.protocol import CALLING, PLAIN, Protocol
from support.protocols import PROTOCOLS
from support.streams import events


@dataclass
class Seen:
    """One call as the provider saw it."""

    event: str
    model: str
    job_id: str
    request: dict = field(repr=False)
    headers: dict = field(repr=False)
    billed: dict | None = None
    ended: bool = False
    dropped: bool = False


class WireServer:
    """Context manager. `calls`: what the provider saw.

    `script(request, number) -> event` chooses what happens.
    """

    def __init__(self, port: int = 0, log: Path | None = None) -> None:
        self.calls: list[Seen] = []
        self.script = lambda request, number: "ok"
        self.streams = True
        """Whether an answer that is asked for as a stream comes as one."""
        self.reply: dict | None = None
        """What every answer says, before a protocol gives it its shape; None: as the event says."""
        self.usage: dict | None = None
        """The usage of every answer, in the provider's own words; None: what the event says."""
        self.body: str | None = None
        """The body of every answer as it is; None: as all the rest says."""
        self.headers: dict[str, str] = {}
        """Sent with every answer and refusal."""
        self.revoked: set[str] = set()
        """Bearer keys that are refused, whatever the script says."""
        self.concurrent = self.most_concurrent = 0
        self._port, self._log = port, log
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def counts(self) -> Counter:
        with self._lock:
            return Counter(call.event.partition(";")[0] for call in self.calls)

    def wait_for(self, condition, timeout_s: float = 30.0) -> None:
        """Block until `condition(calls)` holds, woken by every change."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.calls), timeout_s), (
                f"wire saw only {len(self.calls)} calls"
            )

    def __enter__(self) -> "WireServer":
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def serve(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=64_000_000)
        for path in PROTOCOLS:
            app.router.add_post(path, self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port, backlog=1024)
        await site.start()
        self._port = site._server.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        request = await http.json()
        if "call" in http.match_info:  # Gemini names its model in the path
            request["model"] = http.match_info["call"].partition(":")[0]
        with self._changed:
            known = (
                http.headers.get("Authorization", "").removeprefix("Bearer ") not in self.revoked
            )
            event = self.script(request, len(self.calls)) if known else "401"
            seen = Seen(
                event,
                request.get("model", ""),
                http.headers.get("X-Client-Request-Id", ""),
                request,
                dict(http.headers),
            )
            self.calls.append(seen)
            self.concurrent += 1
            self.most_concurrent = max(self.most_concurrent, self.concurrent)
            self._changed.notify_all()
        self._write(seen)
        try:
            answer = await self._answer(http, request, seen)
            if not answer.prepared:
                answer.headers.update(self.headers)
            return answer
        except (asyncio.CancelledError, ConnectionError):
            seen.dropped = True
            raise
        finally:
            with self._changed:
                seen.ended = True
                self.concurrent -= 1
                self._changed.notify_all()
            self._write(seen)

    def _write(self, seen: Seen) -> None:
        if self._log:
            line = {k: v for k, v in asdict(seen).items() if k not in ("request", "headers")} | {
                "at": time.monotonic()
            }
            with self._log.open("a") as file:
                file.write(json.dumps(line) + "\n")

    async def _answer(self, http: web.Request, request: dict, seen: Seen) -> web.StreamResponse:
        name, *pairs = seen.event.split(";")
        options = dict(pair.split("=", 1) for pair in pairs)
        await asyncio.sleep(float(options.get("delay", 0)))
        protocol = PROTOCOLS[http.match_info.route.resource.canonical]
        if name in protocol.errors:
            return _refusal(protocol, name, options)
        if name == "html":
            return web.Response(
                status=int(options.get("status", 502)),
                text="<html>502</html>",
                content_type="text/html",
            )
        if name == "redirect":
            return web.Response(status=307, headers={"Location": "/elsewhere"})
        if name in ("hang", "reset", "close"):
            return await _break(http, name)
        if self.body is not None:
            return await _send(http, "ok", options, self.body)
        if self.reply:
            name, options = self.reply["finish"], options | self.reply["usage"]
        body = _body(protocol, request, name, options, self.reply)
        if self.usage:
            body["usageMetadata" if "contents" in request else "usage"] = self.usage
        seen.billed = body.get("usage") if isinstance(body, dict) else None
        if self.streams and _streamed(http, request) and isinstance(body, dict) and body:
            return await _stream(http, name, options, _pieces(request, body), self.headers)
        return await _send(http, name, options, body)


def _streamed(http: web.Request, request: dict) -> bool:
    """Gemini says so in the path."""
    return request.get("stream") is True or "streamGenerateContent" in http.path


def _pieces(request: dict, body: dict) -> list[str]:
    asked = request.get("stream_options") or {}
    return events(body, asked.get("include_usage") is True)


async def _stream(
    http: web.Request, name: str, options: dict, pieces: list[str], headers: dict
) -> web.StreamResponse:
    """`truncated`: half of it and a cut; `hang_headers`: half of it and silence; `cut`: so many
    pieces and a proper end; `first`, `gap`: seconds before the first piece and every other; `open`:
    no end but what the pieces say.
    """
    frame = {"Content-Type": "text/event-stream", "x-request-id": "req_wire"}
    response = web.StreamResponse(headers=frame | headers)
    response.enable_chunked_encoding()
    await response.prepare(http)
    if name == "drip":
        pieces = list("".join(pieces))
    broken = name in ("truncated", "hang_headers")
    sent = len(pieces) // 2 if broken else int(options.get("cut", len(pieces)))
    await asyncio.sleep(float(options.get("first", 0)))
    for piece in pieces[:sent]:
        await response.write(piece.encode())
        await asyncio.sleep(float(options.get("gap", 0)))
    if name == "hang_headers" or "open" in options:
        await asyncio.sleep(3600)
    if name == "truncated":
        http.transport.close()
    return response


def _refusal(protocol: Protocol, name: str, options: dict) -> web.Response:
    headers = {}
    if "ra" in options:
        date = formatdate(time.time() + float(options["ra"]), usegmt=True)  # the header's own clock
        headers["Retry-After"] = date if options.get("ra_date") else options["ra"]
    if "ra_ms" in options:
        headers["Retry-After-Ms"] = options["ra_ms"]
    status, body = protocol.error(name, options)
    return web.json_response(body, status=status, headers=headers)


async def _break(http: web.Request, name: str) -> web.Response:
    if name == "hang":
        await asyncio.sleep(3600)
    transport = http.transport
    if name == "reset":
        transport.abort()
    else:
        transport.close()
    return web.Response()


def _body(
    protocol: Protocol, request: dict, name: str, options: dict, reply: dict | None
) -> object:
    if name in ("null", "badschema", "malformed", "emptybody"):
        return {"null": None, "badschema": {}, "malformed": '{"id": "x", "cho', "emptybody": ""}[
            name
        ]
    plain = {"text": options["text"]} if "text" in options else PLAIN
    reply = reply or (CALLING if name == "tool_calls" else plain)
    return protocol.answer(request, name, options, reply)


async def _send(http: web.Request, name: str, options: dict, body: object) -> web.StreamResponse:
    raw = (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = {"Content-Type": "application/json", "x-request-id": "req_wire"}
    if name not in ("truncated", "hang_headers", "drip"):
        return web.Response(body=raw, headers=headers, status=int(options.get("status", 200)))
    response = web.StreamResponse(headers=headers)
    response.content_length = len(raw)
    await response.prepare(http)
    if name == "drip":
        for byte in raw:
            await response.write(bytes([byte]))
            await asyncio.sleep(float(options.get("gap", 0.1)))
        return response
    await response.write(raw[: len(raw) // 2])
    if name == "hang_headers":
        await asyncio.sleep(3600)
    http.transport.close()
    return response


def mixed(seed: int, weights: dict[str, float]):
    """A seeded script: each call draws its event by weight."""
    chance = random.Random(seed)
    return lambda request, number: chance.choices(list(weights), list(weights.values()))[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--script", default="ok")
    parser.add_argument("--log", type=Path)
    given = parser.parse_args()
    server = WireServer(given.port, given.log)
    server.script = lambda request, number: given.script
    ready = threading.Event()

    async def serve() -> None:
        serving = asyncio.create_task(server.serve(ready))
        await asyncio.sleep(0)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: server._stop.set())
        await serving

    asyncio.run(serve())


if __name__ == "__main__":
    main()
