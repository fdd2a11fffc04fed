"""Arbitrary replies: JSON of every type, encoding and length, at every status, with any headers."""

import gzip
import json
import random
import time
from email.utils import formatdate
from typing import Any, NamedTuple

from contract.bodies import TEXTS, body, calls
from support.scripted import Exchange, http

ADAPTERS = ("openai", "anthropic", "gemini")
STATUSES = (
    *([200] * 12),
    *(201, 202, 203, 206, 207, 299, 300, 301, 302, 304, 307, 308, 399, 400, 400, 401, 402, 403),
    *(
        404,
        405,
        406,
        407,
        408,
        409,
        410,
        411,
        413,
        415,
        418,
        421,
        422,
        424,
        425,
        426,
        428,
        429,
        429,
    ),
    *(
        431,
        451,
        499,
        500,
        500,
        501,
        502,
        503,
        503,
        504,
        505,
        507,
        508,
        511,
        520,
        522,
        524,
        529,
        530,
    ),
    *(598, 599, 600, 777, 999),
)
TEXT = "Paris."
WORDS = (
    *("error", "message", "code", "type", "param", "status", "details", "metadata", "detail"),
    *("choices", "candidates", "content", "parts", "text", "usage", "finish_reason", "id", "index"),
    *("rate_limit_exceeded", "insufficient_quota", "context_length_exceeded", "overloaded_error"),
    *("stop", "eos", "STOP", "", " ", "\x00", "\ud83d", "é", "x" * 300, "prompt is too long"),
)
NUMBERS = (0, 1, -1, 7, 429, 503, 12.5, 1e308, 10**18, 10**400, float("inf"), float("nan"))
WAIT_HEADERS = (
    *("Retry-After", "retry-after-ms", "x-ms-retry-after-ms", "x-ratelimit-reset-requests"),
    *("x-ratelimit-reset-tokens", "x-ratelimit-reset", "ratelimit-reset", "RateLimit"),
    *("anthropic-ratelimit-requests-reset", "anthropic-ratelimit-tokens-reset"),
)
COUNT_HEADERS = (
    *("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-limit-tokens"),
    *("anthropic-ratelimit-requests-limit", "anthropic-ratelimit-input-tokens-remaining"),
)
TYPES = (
    *("application/json", "application/json; charset=utf-8", "application/json;charset=nonsense"),
    *(
        "text/html",
        "text/plain",
        "text/event-stream",
        "application/x-ndjson",
        "",
        "nonsense",
        "a/b/c",
    ),
)


class Wild(NamedTuple):
    """An exchange, and what has to come of it whatever stands around it."""

    exchange: Exchange
    status: int
    answers: bool
    """It is a whole answer, which must be delivered."""


def wild(seed: int, number: int) -> Wild:
    """The same one for the same seed and number."""
    chance = random.Random(f"{seed}-{number}")
    adapter = ADAPTERS[number % len(ADAPTERS)]
    name = f"seed {seed}, number {number}"
    if chance.random() < 0.2:
        usage = _value(chance, 2) if chance.random() < 0.3 else None
        raw = _around(chance, json.dumps(whole(chance, adapter, usage)))
        response = _response(chance, 200, raw.encode())
        return Wild(Exchange(name, adapter, response), 200, answers=True)
    status = chance.choice(STATUSES)
    raw = _response(chance, status, garbage(chance, adapter))
    return Wild(Exchange(name, adapter, raw), status, answers=False)


def garbage(chance: random.Random, adapter: str) -> bytes:
    """The body of an error, or of anything else."""
    return _encoded(chance, _text(chance, adapter))


def whole(chance: random.Random, adapter: str, usage: Any) -> dict[str, Any]:
    """An answer with odd words around a text or a call that is whole."""
    content = TEXTS[adapter]
    if chance.random() < 0.3:
        content = calls(adapter, (chance.choice([{"x": 1}, None, "", {}]), _value(chance, 1)))
    ends = ({}, {"finish": chance.choice(["eos", "STOP", "novel", None, "", 7, [], {"a": 1}])})
    answer = body(adapter, content, usage=usage, **chance.choice(ends))
    for word in ("id", "created", "object", "system_fingerprint", "service_tier", "x"):
        if chance.random() < 0.2:
            answer[word] = _value(chance, 2)
    return answer


def _around(chance: random.Random, text: str) -> str:
    """What may stand around a value and is none of it."""
    before = chance.choice(["", "", "\n\n", "\ufeff", "   "])
    return before + text + chance.choice(["", "", "\n", "data: [DONE]", "\x00", "}}", "null"])


def _text(chance: random.Random, adapter: str) -> str:
    """A body: any value, an answer or an error with any value in some of its places, or no JSON."""
    kind = chance.randrange(8)
    if kind == 0:
        return _dumped(_value(chance, 4))
    if kind == 1:
        return chance.choice(
            ["", " ", "<html>404</html>", "404 page not found", "{", "[" * 5000, "\x00"]
        )
    if kind == 2:
        return "".join(f"data: {_dumped(_value(chance, 3))}\n\n" for _ in range(3))
    if kind == 3:
        return "x" * chance.randrange(200_000)
    found: Any = body(adapter, TEXTS[adapter], finish="stop")
    if kind >= 6:
        found = {"error": {"message": "m", "type": "t", "code": "c", "param": None, "details": []}}
    for _ in range(chance.randrange(1, 4)):
        found = _changed(chance, found)
    text = _dumped(found)
    if chance.random() < 0.1:
        text = text[: chance.randrange(len(text) + 1)]
    return _around(chance, text)


def _changed(chance: random.Random, value: Any) -> Any:
    """With any value in one place of it, or one place less."""
    if not isinstance(value, dict | list) or not value or chance.random() < 0.15:
        return _value(chance, 2)
    keys = list(value) if isinstance(value, dict) else range(len(value))
    key = chance.choice(list(keys))
    copy = value.copy()
    if chance.random() < 0.15:
        del copy[key]
    else:
        copy[key] = _changed(chance, value[key])
    return copy


def _value(chance: random.Random, depth: int) -> Any:
    kind = chance.randrange(7 if depth else 4)
    if kind == 0:
        return chance.choice([None, True, False])
    if kind == 1:
        return chance.choice(NUMBERS)
    if kind in (2, 3):
        return chance.choice(WORDS)
    if kind == 4:
        return [_value(chance, depth - 1) for _ in range(chance.randrange(4))]
    return {chance.choice(WORDS): _value(chance, depth - 1) for _ in range(chance.randrange(5))}


def _dumped(value: Any) -> str:
    return json.dumps(value)


def _encoded(chance: random.Random, text: str) -> bytes:
    kind = chance.randrange(12)
    if kind == 0:
        return text.encode("utf-16", "surrogatepass")
    if kind == 1:
        return text.encode("utf-8", "surrogatepass") + b"\xff\xfe\x80"
    if kind == 2:
        return text.encode("latin-1", "replace")
    if kind == 3:
        return chance.randbytes(chance.randrange(400))
    return text.encode("utf-8", "surrogatepass")


def _response(chance: random.Random, status: int, raw: bytes) -> bytes:
    headers = [("Content-Type", chance.choice(TYPES))]
    if chance.random() < 0.1:
        raw = gzip.compress(raw)
        headers.append(("Content-Encoding", "gzip"))
    waits = [chance.choice(WAIT_HEADERS) for _ in range(chance.randrange(4))]
    headers += [(name, wait(chance)) for name in waits]
    for _ in range(chance.randrange(3)):
        count = chance.choice(["600", "0", "-1", "9" * 5000, "1e9", "", "600, 600", "x", "inf"])
        headers.append((chance.choice(COUNT_HEADERS), count))
    return http(status, raw, headers)


def wait(chance: random.Random) -> str:
    """A time to wait, in any of the forms that have been seen, or in none."""
    now = time.time()
    whole = chance.choice(
        ["0", "1", "20", "7", "-5", "1.5", "86401", "9" * 300, "inf", "-inf", "nan"]
    )
    forms = (
        whole,
        whole + chance.choice(["s", "ms", "m", "h", "d", " seconds", "us", "m0s", "h1m", "x"]),
        f"{whole}, {whole}",
        formatdate(now + chance.randrange(-99, 99), usegmt=True),
        formatdate(now + 60).replace("GMT", ""),
        str(now + 30),
        str(int(now * 1000) + 30_000),
        "2099-01-01T00:00:00Z",
        "Thu, 99 Nov 9999 99:99:99 GMT",
        "+0099999-01-01T00:00:00+99:99",
        chance.choice(["", " ", "soon", "\t", "é", '"20"', "0x10", "1_000", "٣"]),
        "limit=10, remaining=0, reset=30",
    )
    return chance.choice(forms)
