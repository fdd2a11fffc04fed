"""The keyless provider: deterministic text and usage, scripted faults and latencies.

For the demo, tests and load runs.

Options (settings): latency_ms "150" or "100-300"; faults "overloaded,ok,timeout", consumed call by
call; down "1". Markers in the last user message:
`[[sim:fault=rate_limited;retry_after=2;link=MODEL]]`, `[[sim:latency_ms=500]]`,
`[[sim:finish=length]]`.
"""

import asyncio
import hashlib
import math
import random
import re
from array import array
from dataclasses import replace

from producer.contract.completions import Usage
from producer.contract.embeddings import compact
from producer.contract.requests import CompletionRequest

from ..faults import Fault, ProviderError
from .base import Call, Reply

_MARKER = re.compile(r"\[\[sim:([^\[\]]*)\]\]")
_SENTENCE = re.compile(r"[^.!?]+[.!?]")
_BILLED = {Fault.TIMEOUT, Fault.BAD_RESPONSE}


DIMENSIONS = 32


class Simulator:
    """Answers from the prompt itself.

    A few sentences out of a document, or a sentence about a question.
    """

    def __init__(self, base_url: str | None, api_key: str | None, options: dict[str, str]) -> None:
        faults = options.get("faults", "").split(",")
        self._latency = options.get("latency_ms", "150")
        self._down = options.get("down") == "1"
        self._faults = [fault for fault in faults if fault]

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        return ""

    async def complete(self, call: Call) -> Reply:
        prompt = _last_user_text(call.request)
        markers = _markers(prompt, call.model)
        try:
            async with asyncio.timeout(call.silence_s if call.streams else None):
                await asyncio.sleep(self._latency_ms(markers, prompt) / 1000)
        except TimeoutError:
            reason = "nothing was heard"
            raise ProviderError(Fault.TIMEOUT, reason, maybe_billed=True) from None
        self._raise_scripted_fault(markers)
        return replace(self._reply(call, prompt, markers), streamed=call.streams)

    async def embed(self, call: Call) -> Reply:
        """Vectors by the hash of each text: the same text has the same one, no others are near."""
        texts = call.request.sole_texts
        markers = _markers(texts[-1], call.model)
        await asyncio.sleep(self._latency_ms(markers, texts[-1]) / 1000)
        self._raise_scripted_fault(markers)
        wanted = call.request.embedding and call.request.embedding.dimensions
        rows = [_vector(text, wanted or DIMENSIONS) for text in texts]
        usage = Usage(input=_tokens(call.request))
        return Reply("", "stop", call.model, usage, vectors=compact(rows))

    async def aclose(self) -> None:
        return None

    def _reply(self, call: Call, prompt: str, markers: dict[str, str]) -> Reply:
        words = _answer(_MARKER.sub("", prompt).strip()).split(" ")
        input_tokens = _tokens(call.request)
        if markers.get("finish") == "length" or len(words) > call.max_tokens:
            half = max(1, len(words) // 2)
            kept = words[: min(call.max_tokens, half)]
            usage = Usage(input=input_tokens, output=call.max_tokens)
            return Reply(" ".join(kept), "length", call.model, usage)
        usage = Usage(input=input_tokens, output=len(words))
        if markers.get("finish") == "refusal":
            return Reply("I cannot help with that.", "refusal", call.model, usage)
        return Reply(" ".join(words), "stop", call.model, usage)

    def _latency_ms(self, markers: dict[str, str], prompt: str) -> float:
        """Within a range it depends on the prompt alone."""
        latency = markers.get("latency_ms", self._latency)
        low, _, high = latency.partition("-")
        if not high:
            return float(low)
        digest = hashlib.sha256(prompt.encode()).hexdigest()
        share = int(digest[:8], 16) / 0xFFFFFFFF
        return float(low) + share * (float(high) - float(low))

    def _raise_scripted_fault(self, markers: dict[str, str]) -> None:
        """By marker, else `down`, else the next of the scripted ones."""
        name = "ok"
        if self._faults:
            name = self._faults.pop(0)
        if self._down:
            name = Fault.UNAVAILABLE
        name = markers.get("fault") or name
        if name == "ok":
            return
        wait_s = None
        if "retry_after" in markers:
            wait_s = float(markers["retry_after"])
        fault = Fault(name)
        raise ProviderError(
            fault,
            "simulated",
            maybe_billed=fault in _BILLED,
            retry_after_s=wait_s,
        )


def _markers(prompt: str, model: str) -> dict[str, str]:
    """The pairs of the prompt's markers; none if they are for another model."""
    markers: dict[str, str] = {}
    for marker in _MARKER.findall(prompt):
        for pair in marker.split(";"):
            name, equals, value = pair.partition("=")
            if equals:
                markers[name] = value
    if markers.get("link", model) != model:
        return {}
    return markers


def _last_user_text(request: CompletionRequest) -> str:
    for message in reversed(request.messages):
        if message.role == "user":
            return _text(message.content)
    return ""


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, tuple):
        return " ".join(getattr(part, "text", "") for part in content)
    return ""


def _answer(prompt: str) -> str:
    first, *between = prompt.split("\n\n")
    last = ""
    if between:
        last = between.pop()
    instructions = (first[:400] + last[-400:]).lower()
    if "summar" in instructions and len(prompt) > 400:
        if "summar" not in last[-400:].lower():
            between.append(last)
        if summary := _summary(between):
            return summary
    topic = " ".join(prompt.split()[:8]).rstrip("?.! ")
    digest = hashlib.sha256(prompt.encode()).hexdigest()
    return f"A simulated answer to “{topic}”, the same every time (no. {digest[:6]})."


def _summary(paragraphs: list[str]) -> str:
    """The first sentences of three paragraphs, evenly spread; headings are left out."""
    openings = []
    for paragraph in paragraphs:
        if not paragraph.lstrip().startswith("#"):
            text = " ".join(paragraph.split())
            openings.append(_SENTENCE.findall(text[:1_000])[:1])
    step = max(1, len(openings) // 3)
    points = openings[::step][:3]
    return "\n".join(f"- {sentence}" for point in points for sentence in point)


def _tokens(request: CompletionRequest) -> int:
    """About four bytes a token, as English is in o200k."""
    texts = [_text(message.content) for message in request.messages]
    size = sum(len(text.encode()) for text in texts)
    return max(1, size // 4)


def _vector(text: str, dimensions: int) -> "array[float]":
    chance = random.Random(text)  # noqa: S311 -- repeatable, not a secret
    numbers = [chance.gauss(0, 1) for _ in range(dimensions)]
    length = math.hypot(*numbers)
    return array("f", [number / length for number in numbers])
