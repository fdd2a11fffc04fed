"""What reading an answer as a stream costs, beside reading it as a whole.

CPU time of the calling process per answer, for every vendor's SDK: answers of 1,000 tokens, an
event each, 50 tokens a second, 100 calls at once; whole answers come after the same time. The
provider is a process of its own. Half a minute per row; the lowest of the rounds counts.

python benchmarks/streams.py [rounds]
"""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.protocol import TEXT
from support.protocols import PROTOCOLS
from support.streams import events

from producer.contract.requests import CompletionRequest
from worker.providers import Call, load

PATHS = {"openai": "/v1", "anthropic": "", "gemini": ""}
SHAPES = {
    "openai": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/{call}",
}
TOKENS = 1_000
PER_SECOND = 50
AT_ONCE = 100
OK = b"HTTP/1.1 200 OK\r\n"
REQUEST = CompletionRequest.checked(messages=[{"role": "user", "content": "Tell me."}])


def answer(adapter: str) -> dict[str, Any]:
    """Of as many tokens as there will be events."""
    text = (TEXT * TOKENS)[: 7 * TOKENS]
    asked = {"model": "m", "messages": [{"content": "Tell me."}]}
    options = {"in": "10", "out": str(TOKENS)}
    body: dict[str, Any] = PROTOCOLS[SHAPES[adapter]].answer(asked, "ok", options, {"text": text})
    return body


async def serve(adapter: str) -> None:
    """Every request is answered in the same time, as a stream or not."""
    pieces = [each.encode() for each in events(answer(adapter))]
    head = OK + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    chunks[0] = head + chunks[0]
    chunks[-1] += b"0\r\n\r\n"

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(asked.partition(b"content-length:")[2].split()[0])
        asked += await reader.readexactly(length)
        streams = b'"stream":true' in asked.replace(b" ", b"") or b"streamgenerate" in asked
        for chunk in chunks:
            await asyncio.sleep(1 / PER_SECOND)
            if streams:
                writer.write(chunk)
        if not streams:
            writer.write(whole(adapter))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, backlog=1_000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


def whole(adapter: str) -> bytes:
    """The response that is no stream."""
    body = json.dumps(answer(adapter)).encode()
    head = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    return OK + head + body


async def cpu_ms(adapter: str, port: int, streams: bool) -> float:
    """Per answer."""
    client = load(adapter)(f"http://127.0.0.1:{port}{PATHS[adapter]}", "k", {})
    call = Call("j", "m", REQUEST, TOKENS, None, 120, streams=streams, silence_s=30)
    before = time.process_time()
    replies = await asyncio.gather(*(client.complete(call) for _ in range(AT_ONCE)))
    spent = time.process_time() - before
    await client.aclose()
    assert all(len(reply.text) == 7 * TOKENS for reply in replies)
    assert all(reply.streamed is streams for reply in replies)
    return spent / AT_ONCE * 1_000


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    for adapter in PATHS:
        command = [sys.executable, __file__, "serve", adapter]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            port = int(server.stdout.readline())
            try:
                found = {
                    streams: min(asyncio.run(cpu_ms(adapter, port, streams)) for _ in range(rounds))
                    for streams in (False, True)
                }
            finally:
                server.kill()
        whole_ms, stream_ms = found[False], found[True]
        ratio = stream_ms / whole_ms
        print(f"{adapter:<10} whole {whole_ms:.1f} ms, stream {stream_ms:.1f} ms, x {ratio:.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(sys.argv[2]))
    else:
        main()
