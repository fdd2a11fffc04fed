"""OpenAI's chat completions as OpenAI and the servers that imitate it send them. Pure."""

import re
from typing import Any

from .answers import Answer, text_and_reasoning
from .bodies import Json, items, mapping, text_of, written
from .charges import service_tier
from .dialects import DIALECTS, Dialect
from .logprobs import token_logprobs
from .pieces import RawPiece
from .sources import of_addresses, of_openai
from .statuses import bad_response
from .tool_calls import of_message
from .usages import openai_usage

REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
"""vLLM and DeepSeek; vLLM, OpenRouter and Groq; Ollama; OpenRouter."""

THINKS_ALOUD = re.compile(r"deepseek-?r1|r1-distill|qwq|qwen-?3|magistral|glm-4\.[5-9]|minimax-m")
"""Models that write their reasoning into the text, where the server does not take it out."""

_OPENED = re.compile(r"\s*(?:<(?:think|thinking)>|\[THINK\])")
_CLOSED = re.compile(r"</(?:think|thinking)>|\[/THINK\]")


def read(
    found: list[Json], thinks: str, model: str, dialect: Dialect = DIALECTS["openai"]
) -> Answer:
    """The answer in the objects of a body: one, or the pieces of a stream.

    `thinks`: "on", "off" or "auto", whether the model writes its reasoning into the text.
    Raises `ProviderError` for a body without an answer in it.
    """
    if not found:
        raise bad_response("a 200 that is not the API's JSON")
    body = found[0]
    if len(found) > 1 and any(map(_is_piece, found)):
        body = _joined(found)
    usage = openai_usage(_usage_of(body), dialect.reasoning_apart)
    usage = usage._replace(tier=service_tier(body.get("service_tier")))
    choice = _choice(body)
    answer = _answer(choice, thinks, model, dialect)
    answer.model = text_of(body.get("model"))
    answer.stated = usage
    answer.citations = answer.citations or list(of_addresses(body))
    for other in _choices(body):
        if other is not choice:
            answer.others.append(_answer(other, thinks, model, dialect))
    return answer


def _answer(choice: Json, thinks: str, model: str, dialect: Dialect) -> Answer:
    """What one choice says."""
    message = mapping(choice.get("message")) or mapping(choice.get("delta"))
    content = message.get("content")
    if content is None:
        content = choice.get("text")
    if content is None and isinstance(choice.get("message"), str):
        content = choice["message"]
    text, reasoning = text_and_reasoning(content)
    if thinks == "on" or (thinks == "auto" and _thinks_aloud(text, model, dialect)):
        text, thought = _without_thoughts(text)
        reasoning += thought
    told = ("".join(text_and_reasoning(message.get(name))) for name in REASONING_FIELDS)
    # Some say the same in two of them.
    reasoning += next(filter(None, told), "")
    answer = Answer(
        finish=choice.get("finish_reason"),
        text=text,
        reasoning=reasoning,
        calls=of_message(message),
        logprobs=token_logprobs(choice.get("logprobs")),
    )
    answer.pieces = _pieces(answer, message, dialect)
    answer.citations = list(of_openai(message))
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal.strip():
        answer.refused = "refusal"
        answer.text = answer.text or text_of(refusal)
    return answer


def _pieces(answer: Answer, message: Json, dialect: Dialect) -> list[RawPiece]:
    """What the server wants back, which its dialect says."""
    if dialect.thoughts_back == "reasoning_content" and answer.reasoning:
        return [RawPiece(thought=answer.reasoning)]
    details = message.get("reasoning_details")
    if dialect.thoughts_back == "reasoning_details" and isinstance(details, list):
        return [RawPiece(seal=written(details))]
    return []


def _choice(body: Json) -> Json:
    """The first choice that holds anything."""
    choices = _choices(body)
    for choice in choices:
        if any(choice.get(name) for name in ("message", "delta", "text")):
            return choice
    return (choices or [{}])[0]


def _choices(body: Json) -> list[Json]:
    return [each for each in items(body.get("choices")) if isinstance(each, dict)]


def _usage_of(body: Json) -> object:
    usage = body.get("usage")
    if usage is None:
        return mapping(body.get("x_groq")).get("usage")
    return usage


def _thinks_aloud(text: str, model: str, dialect: Dialect) -> bool:
    if THINKS_ALOUD.search(model.lower()):
        return True
    return dialect.bare_thoughts and _OPENED.match(text) is not None


def _without_thoughts(text: str) -> tuple[str, str]:
    """(text, the reasoning at its beginning).

    Templates may have opened it in the prompt already, so that only its end is in the answer.
    """
    closed = _CLOSED.search(text)
    if closed:
        return text[closed.end() :].lstrip(), text[: closed.start()]
    if _OPENED.match(text):
        return "", text
    return text, ""


def _is_piece(body: Json) -> bool:
    if body.get("object") == "chat.completion.chunk":
        return True
    choices = items(body.get("choices"))
    return any("delta" in mapping(choice) for choice in choices)


def _joined(pieces: list[Json]) -> Json:
    """One answer out of the pieces of a stream."""
    whole: Json = {}
    texts: dict[str, list[str]] = {}
    calls: dict[object, Json] = {}
    old: dict[object, Json] = {}
    lists: dict[str, list[Any]] = {"annotations": [], "reasoning_details": []}
    finish: Any = None
    logprobs: dict[str, list[Any]] = {"content": []}
    for piece in pieces:
        for name in ("model", "usage", "x_groq", "service_tier", "citations"):
            if piece.get(name):
                whole[name] = piece[name]
        choice = _choice(piece)
        if mapping(choice).get("index") not in (None, 0):
            continue
        finish = choice.get("finish_reason") or finish
        logprobs["content"] += items(mapping(choice.get("logprobs")).get("content"))
        delta = mapping(choice.get("delta")) or mapping(choice.get("message"))
        for name in ("content", "refusal", *REASONING_FIELDS):
            text = delta.get(name)
            if name == "content":
                text, thought = text_and_reasoning(text)
                texts.setdefault("reasoning_content", []).append(thought)
            if isinstance(text, str):
                texts.setdefault(name, []).append(text)
        for name, found in lists.items():
            found += items(delta.get(name)) if isinstance(delta.get(name), list) else []
        for call in items(delta.get("tool_calls")):
            _join_call(calls, mapping(call))
        if "function_call" in delta:
            _join_call(old, {"index": 0, "function": delta["function_call"]})
    message: Json = {name: "".join(parts) for name, parts in texts.items()}
    message |= {name: found for name, found in lists.items() if found}
    if calls:
        message["tool_calls"] = list(calls.values())
    if old:
        message["function_call"] = old[0]["function"]
    whole["choices"] = [{"message": message, "finish_reason": finish, "logprobs": logprobs}]
    return whole


def _join_call(calls: dict[object, Json], piece: Json) -> None:
    """Put a piece of a tool call to the others of its index.

    Without one it is a call itself; so is one with an id and a name of its own.
    """
    function = mapping(piece.get("function"))
    index = piece.get("index")
    begun = calls.get(index, {}).get("id") if isinstance(index, int) else None
    another = begun and function.get("name") and piece.get("id") not in (None, "", begun)
    if not isinstance(index, int) or another:
        index = len(calls)
    call = calls.setdefault(index, {"id": None, "function": {"name": "", "arguments": ""}})
    call["id"] = call["id"] or piece.get("id")
    joined = call["function"]
    joined["name"] = joined["name"] or function.get("name")
    arguments = function.get("arguments")
    if isinstance(arguments, str) and isinstance(joined["arguments"], str):
        joined["arguments"] += arguments
    elif arguments is not None:
        joined["arguments"] = arguments
