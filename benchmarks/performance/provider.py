"""A provider that is never the bottleneck: it answers every chat after a delay and says the same.

    python provider.py PORT

Its delay is in the path: POST /3.0/v1/chat/completions answers after 3 seconds. GET /3.0/seen:
{"now", "most", "answered"} of that path; `most` is since the last look.
"""

import asyncio
import json
import sys
from dataclasses import dataclass

from aiohttp import web

TEXT = "The harbour closes at ten, and the last ferry leaves a quarter of an hour before. " * 3
ANSWER = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o-mini",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": TEXT},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 230, "completion_tokens": 50, "total_tokens": 280},
    }
).encode()


@dataclass
class Seen:
    now: int = 0
    most: int = 0
    answered: int = 0


SEEN: dict[str, Seen] = {}


async def answer(request: web.Request) -> web.Response:
    await request.read()
    delay = request.match_info["delay"]
    seen = SEEN.setdefault(delay, Seen())
    seen.now += 1
    seen.most = max(seen.most, seen.now)
    try:
        await asyncio.sleep(float(delay))
        seen.answered += 1
        return web.Response(body=ANSWER, content_type="application/json")
    finally:
        seen.now -= 1


async def seen(request: web.Request) -> web.Response:
    found = SEEN.setdefault(request.match_info["delay"], Seen())
    told = {"now": found.now, "most": found.most, "answered": found.answered}
    found.most = found.now
    return web.json_response(told)


def main() -> None:
    app = web.Application(client_max_size=8_000_000)
    app.router.add_post("/{delay}/v1/chat/completions", answer)
    app.router.add_get("/{delay}/seen", seen)
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        backlog=4096,
        access_log=None,
        handler_cancellation=True,
        keepalive_timeout=3600,
        print=None,
    )


if __name__ == "__main__":
    main()
