"""Turns of Anthropic's Messages API in OpenAI's shape.

What is of no kind that is known here stays as it is, to be refused with its place.
"""

from typing import Any

from .vendor_parts import Json, base64_of, call, file, media, plain_items, spoken

_BLOCKS = (
    "tool_use",
    "tool_result",
    "thinking",
    "redacted_thinking",
    "image",
    "document",
)
"""Kinds that OpenAI's shape does not have."""
_MEDIA = {
    "type",
    "source",
    "title",
    "cache_control",
}
"""What OpenAI's shape can say of a picture or a document."""


def of_anthropic(turn: Json) -> list[Json]:
    """The messages that a turn of Anthropic's Messages API stands for; [] if it is none.

    Its thoughts go back to its model, if the turn says which that was.
    """
    blocks = plain_items(turn.get("content"))
    is_dump = turn.get("type") == "message"
    if not is_dump and not any(_kind(each) in _BLOCKS for each in blocks):
        return []
    if turn.get("role") == "assistant":
        return [_answer(turn, blocks)]
    results = []
    others = []
    for block in blocks:
        if _kind(block) == "tool_result":
            results.append(_result(block))
        else:
            others.append(_part(block))
    return spoken(turn.get("role"), results, others)


def _answer(turn: Json, blocks: list[Any]) -> Json:
    text = ""
    calls: list[Any] = []
    odd: list[Any] = []
    pieces: list[Json] = []
    for block in blocks:
        kind = _kind(block)
        if kind == "text" and isinstance(block.get("text"), str):
            text += block["text"]
            pieces.append({"characters": len(block["text"])})
        elif kind == "tool_use":
            calls.append(call(block.get("id"), block.get("name"), block.get("input")))
            pieces.append({"call": block.get("id")})
        elif kind == "thinking":
            piece = {
                "thought": block.get("thinking"),
                "seal": block.get("signature"),
            }
            pieces.append(piece)
        elif kind == "redacted_thinking":
            pieces.append({"seal": block.get("data")})
        else:
            odd.append(block)
    message: Json = {
        "role": "assistant",
        "content": odd or text or None,
    }
    if calls:
        message["tool_calls"] = calls
    if turn.get("model") and any("seal" in each for each in pieces):
        message["kept"] = {
            "api": "anthropic",
            "model": turn["model"],
            "pieces": pieces,
        }
    return message


def _result(block: Json) -> Json:
    content = block.get("content")
    if not isinstance(content, str):
        content = [_part(each) for each in plain_items(content)]
    result = {
        "role": "tool",
        "tool_call_id": block.get("tool_use_id"),
        "content": content,
    }
    if block.get("is_error"):
        result["is_error"] = True
    return result


def _part(block: Any) -> Any:
    """A text is the same in both shapes."""
    kind = _kind(block)
    source = block.get("source") if kind in ("image", "document") else None
    odd = {name for name in block if block[name]} - _MEDIA if source else set()
    if not isinstance(source, dict) or odd:
        return block
    mark = {"cache_control": block.get("cache_control")}
    form = source.get("type")
    url = source.get("url")
    data = source.get("data")
    told = media(source.get("media_type"), data, url)
    if form == "file":
        told = file(file_id=source.get("file_id"))
    elif form == "url" and kind == "document":
        # Its address need not tell of which kind it is.
        told = file(
            file_url=url,
            filename="document.pdf",
        )
    elif form == "text":
        text = str(data).encode()
        told = media("text/plain", base64_of(text))
    if block.get("title") and "file" in told:
        told["file"]["filename"] = block["title"]
    return told | mark


def _kind(block: Any) -> Any:
    return block.get("type") if isinstance(block, dict) else None
