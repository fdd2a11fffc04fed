"""What an answer is, whichever provider gave it: judged by what it contains. Pure.

Text or whole tool calls are an answer, whatever words stand beside them. Nothing but reasoning, or
nothing at all, is none, unless the server says that it refused or that it was cut at the limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from producer.contract.citations import Citation
from producer.contract.completions import Choice, TokenLogprob, Usage

from ..faults import Fault, ProviderError
from ..rate_limit_headers import RateLimits
from .base import Call, Finish, Reply
from .bodies import clean, is_stream, items, text_of, written
from .finish_reasons import MISSING, Ending, ending
from .pieces import RawPiece, wanted_back
from .sources import bounded
from .tool_calls import MOST_NAME_CHARACTERS, RawCall, made
from .usages import NOTHING, Stated

MOST_REASONING = 1_000_000
"""Characters; what is beyond is left out."""


@dataclass
class Answer:
    """An answer as read from one protocol, before it is judged.

    `finish`: the finish reason as stated, of any JSON type. `calls`: tool calls, also broken ones.
    `api`: whose form `pieces` have: text, calls and thoughts in their order, as far as the provider
    may want them back. `refused`: the server says apart from its finish reason that the model
    declined. `ended`: it says that its stream is whole. `provider_id`: by which the provider knows
    the answer. `limit_field`: as of a `Reply`.
    """

    finish: object = None
    text: str = field(default="", repr=False)
    reasoning: str = field(default="", repr=False)
    calls: list[RawCall] = field(default_factory=list, repr=False)
    api: str = ""
    pieces: list[RawPiece] = field(default_factory=list, repr=False)
    citations: list[Citation] = field(default_factory=list, repr=False)
    refused: Finish | None = None
    ended: bool = False
    model: str = ""
    request_id: str | None = None
    limit_field: str = ""
    provider_id: str = ""
    stated: Stated = NOTHING
    flags: list[str] = field(default_factory=list)
    logprobs: tuple[TokenLogprob, ...] = field(default=(), repr=False)
    searches: int = 0
    """Of the web, where its usage does not count them."""
    others: list["Answer"] = field(default_factory=list, repr=False)
    """The further choices, if it has several."""

    def say(self, text: str, seal: str = "") -> None:
        self.text += text
        if text or seal:
            self.pieces.append(RawPiece(text=text, seal=seal))

    def call(self, call: RawCall, seal: str = "") -> None:
        self.pieces.append(RawPiece(call=len(self.calls), seal=seal))
        self.calls.append(call)

    def think(self, thought: str | None, seal: str = "") -> None:
        """`thought` None: nothing of it is told."""
        self.reasoning += thought or ""
        self.pieces.append(RawPiece(thought=thought, seal=seal))


def reply_of(call: Call, answer: Answer, headers: Mapping[str, str]) -> Reply:
    """The answer, normalised.

    Raises `ProviderError` for one that is of no use, with the usage that it states.
    """
    end = ending(answer.finish)
    model = clean(answer.model)[:MOST_NAME_CHARACTERS] or call.model
    all_calls = made(answer.calls)
    calls = tuple(call for call in all_calls if call)
    if broken := len(all_calls) - len(calls):
        answer.flags.append(f"tool_calls: {broken} of {len(answer.calls)} cannot be read")
    finish = answer.refused or end.finish
    streamed = is_stream(headers)
    if call.streams and streamed and end.word == MISSING and not (answer.ended or answer.refused):
        reason = "the stream ended before its answer did"
        raise ProviderError(Fault.UNAVAILABLE, reason, maybe_billed=True)
    if end.broken:
        raise _unusable(answer, model, f"the server broke it off ({end.word})")
    if finish not in ("refusal", "content_filter"):
        finish = _finish(answer, end, bool(calls))
        if not calls and not answer.text.strip() and finish != "length":
            raise _unusable(answer, model, _emptiness(answer, end))
    back = wanted_back(answer.api, call.model, answer.pieces, all_calls)
    if back.flag:
        answer.flags.append(back.flag)
    return Reply(
        text=clean(answer.text),
        finish=finish,
        model=model,
        usage=_usage(answer),
        tool_calls=calls,
        reasoning=clean(answer.reasoning)[:MOST_REASONING],
        kept=back.kept,
        citations=bounded(answer.citations),
        provider_request_id=answer.request_id and clean(answer.request_id),
        provider_id=clean(answer.provider_id)[:MOST_NAME_CHARACTERS],
        rate_limits=RateLimits.from_headers(headers),
        flags=(*answer.flags, *answer.stated.flags),
        streamed=streamed,
        stated_finish=end.word,
        limit_field=answer.limit_field,
        service_tier=answer.stated.tier,
        charged_micro_usd=answer.stated.charged_micro_usd,
        logprobs=answer.logprobs,
        others=_others(call, answer),
    )


def _usage(answer: Answer) -> Usage | None:
    usage = answer.stated.usage
    if usage is None or not answer.searches:
        return usage
    return usage.model_copy(update={"searches": answer.searches})


def _others(call: Call, answer: Answer) -> tuple[Choice, ...]:
    """The choices beside the first one, as many as were asked for."""
    wanted = answer.others[: call.request.choices - 1]
    return tuple(_choice(other) for other in wanted)


def _choice(answer: Answer) -> Choice:
    """One that says nothing is a choice, too: it was paid for, and the others have their places."""
    calls = tuple(call for call in made(answer.calls) if call)
    end = ending(answer.finish)
    finish = answer.refused or ("tool_calls" if calls else end.finish) or "stop"
    return Choice(
        text=clean(answer.text),
        tool_calls=calls,
        finish_reason=finish,
        logprobs=answer.logprobs,
    )


def _finish(answer: Answer, end: Ending, called: bool) -> Finish:
    """Of an answer that was not refused; what is odd about it is added to its flags."""
    if called and end.finish == "length":
        answer.flags.append(f"finish: {end.word} beside whole tool calls")
    if called:
        return "tool_calls"
    if end.finish == "tool_calls":
        answer.flags.append(f"finish: {end.word} without a tool call")
        return "stop"
    if end.finish is None and end.word == MISSING:
        answer.flags.append("finish: missing")
    elif end.finish is None:
        answer.flags.append(f"finish: {end.word} is unknown")
    return end.finish or "stop"


def _emptiness(answer: Answer, end: Ending) -> str:
    """Why an answer without text and whole tool calls is none."""
    if answer.calls:
        return "a 200 whose tool calls cannot be read"
    said = f"finish reason {end.word}"
    usage = answer.stated.usage or Usage()
    if answer.reasoning.strip() or usage.reasoning:
        return f"a 200 with nothing but reasoning ({said})"
    return f"a 200 without content ({said})"


def _unusable(answer: Answer, model: str, reason: str) -> ProviderError:
    """Possibly billed, or billed at the usage that it states."""
    return ProviderError(
        Fault.BAD_RESPONSE,
        reason,
        maybe_billed=True,
        usage=answer.stated.usage,
        model=model,
        service_tier=answer.stated.tier,
        charged_micro_usd=answer.stated.charged_micro_usd,
    )


def text_and_reasoning(content: Any) -> tuple[str, str]:
    """Of a message's content: a text, or parts of which some are reasoning (Mistral's magistral).

    Content that a server has parsed already, such as an object, is written as JSON again.
    """
    texts: list[str] = []
    thoughts: list[str] = []
    for part in items(content):
        if isinstance(part, str):
            texts.append(part)
        elif not isinstance(part, dict):
            texts.append(written(part))
        elif "thinking" in part or part.get("type") in _REASONING_PARTS:
            inner = part.get("thinking") or part.get("text") or part.get("reasoning")
            thoughts += text_and_reasoning(inner)
        elif "text" in part:
            texts.append(text_of(part["text"]) or text_of(_value(part["text"])))
        elif "type" not in part:
            texts.append(written(part))
    return "".join(texts), "".join(thoughts)


_REASONING_PARTS = (
    "thinking",
    "reasoning",
    "redacted_thinking",
    "reasoning_content",
    "summary",
)


def _value(text: object) -> object:
    """OpenAI's assistants give a text as {"value": ...}."""
    if isinstance(text, dict):
        return text.get("value")
    return text
