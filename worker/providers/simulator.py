"""The keyless provider: deterministic text and usage, scripted faults and latencies. For the demo,
tests and load runs.

Options (settings): latency_ms "150" or "100-300"; faults "overloaded,ok,timeout", consumed call by
call; down "1". Markers in the last user message:
`[[sim:fault=rate_limited;retry_after=2;link=MODEL]]`, `[[sim:latency_ms=500]]`,
`[[sim:finish=length]]`.
"""

import asyncio
import hashlib
import re

from producer.contract.completions import Usage
from producer.contract.requests import CompletionRequest

from ..faults import Fault, ProviderError
from .base import Call, Reply

_MARKER = re.compile(r"\[\[sim:([^\]]*)\]\]")
_SENTENCE = re.compile(r"[^.!?]+[.!?]")
_BILLED = {Fault.TIMEOUT, Fault.BAD_RESPONSE}


class Simulator:
    """Answers from the prompt itself: a few sentences out of a document, or a sentence about the
    question.
    """

    def __init__(self, base_url: str | None, api_key: str | None, options: dict[str, str]) -> None:
        self._latency = options.get("latency_ms", "150")
        self._down = options.get("down") == "1"
        self._faults = [fault for fault in options.get("faults", "").split(",") if fault]

    @classmethod
    def unsupported(cls, request: CompletionRequest) -> str:
        return ""

    async def complete(self, call: Call) -> Reply:
        prompt = _last_user_text(call.request)
        publications = _orders(prompt, call.model)
        await asyncio.sleep(self._latency_ms(publications, prompt) / 1000)
        self._fail_if_told(publications)
        words = _answer(_MARKER.sub("", prompt).strip()).split(" ")
        cut = publications.get("finish") == "length" or len(words) > call.max_tokens
        kept = words[: min(call.max_tokens, max(1, len(words) // 2))] if cut else words
        usage = Usage(input=_tokens(call.request), output=call.max_tokens if cut else len(kept))
        return Reply(" ".join(kept), "length" if cut else "stop", call.model, usage)

    async def aclose(self) -> None:
        return None

    def _latency_ms(self, publications: dict[str, str], prompt: str) -> float:
        low, _, high = publications.get("latency_ms", self._latency).partition("-")
        if not high:
            return float(low)
        share = int(hashlib.sha256(prompt.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
        return float(low) + share * (float(high) - float(low))

    def _fail_if_told(self, publications: dict[str, str]) -> None:
        scripted = self._faults.pop(0) if self._faults else "ok"
        name = publications.get("fault") or (Fault.UNAVAILABLE if self._down else scripted)
        if name != "ok":
            fault = Fault(name)
            wait = float(publications["retry_after"]) if "retry_after" in publications else None
            raise ProviderError(
                fault, "simulated", maybe_billed=fault in _BILLED, retry_after_s=wait
            )


def _orders(prompt: str, model: str) -> dict[str, str]:
    pairs = (
        pair.split("=", 1)
        for marker in _MARKER.findall(prompt)
        for pair in marker.split(";")
        if "=" in pair
    )
    publications = dict(pairs)
    return {} if publications.get("link", model) != model else publications


def _last_user_text(request: CompletionRequest) -> str:
    texts = [_text(message.content) for message in request.messages if message.role == "user"]
    return texts[-1] if texts else ""


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    return (
        " ".join(getattr(part, "text", "") for part in content)
        if isinstance(content, tuple)
        else ""
    )


def _answer(prompt: str) -> str:
    first, *between, last = prompt.split("\n\n") if "\n\n" in prompt else (prompt, "")
    if "summar" in (first[:400] + last[-400:]).lower() and len(prompt) > 400:
        told = between if "summar" in last[-400:].lower() else [*between, last]
        paragraphs = [" ".join(part.split()) for part in told if not part.lstrip().startswith("#")]
        points = [_SENTENCE.findall(paragraph)[:1] for paragraph in paragraphs]
        return "\n".join(
            f"- {sentence}"
            for point in points[:: max(1, len(points) // 3)][:3]
            for sentence in point
        )
    topic = " ".join(prompt.split()[:8]).rstrip("?.! ")
    digest = hashlib.sha256(prompt.encode()).hexdigest()[:6]
    return f"A simulated answer to “{topic}”, the same every time (no. {digest})."


def _tokens(request: CompletionRequest) -> int:
    """About four bytes a token, as English is in o200k."""
    return max(1, sum(len(_text(message.content).encode()) for message in request.messages) // 4)
