"""What of a conversation OpenAI's Responses carry, read back from the wire."""

import json

EMPTY = {"type": "object", "properties": {}}


def heard(body: dict) -> dict:
    """As `conversations.heard`."""
    said = [item for item in body["input"] if item.get("role") in ("system", "developer")]
    texts = [body.get("instructions", ""), *(_words(item["content"]) for item in said)]
    wanted = body.get("text", {}).get("format", {})
    return {
        "system": "\n\n".join(text for text in texts if text.strip()),
        "turns": _turns([item for item in body["input"] if item not in said]),
        "tools": [_function(tool) for tool in body.get("tools", ())],
        "stop": [],
        "schema": wanted.get("schema"),
    }


def _turns(items: list) -> list:
    names = {item["call_id"]: item["name"] for item in items if item["type"] == "function_call"}
    turns: list = []
    for item in items:
        role, pieces = _pieces(item, names)
        if not pieces:
            continue
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(pieces)
        else:
            turns.append([role, pieces])
    return turns


def _pieces(item: dict, names: dict) -> tuple[str, list]:
    if item["type"] == "function_call":
        return "assistant", [["call", item["name"], _arguments(item["arguments"])]]
    if item["type"] == "function_call_output":
        return "user", [["result", names[item["call_id"]], _words(item["output"])]]
    content = item["content"]
    parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
    kind = "output_text" if item["role"] == "assistant" else "input_text"
    pieces = []
    for part in parts:
        if part["type"] == "input_image":
            pieces.append(["image", part["image_url"]])
        elif part["text"].strip():
            assert part["type"] == kind or isinstance(content, str), part
            pieces.append(["text", part["text"]])
    return item["role"], pieces


def _arguments(text: str) -> dict:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"arguments": text}


def _function(tool: dict) -> list:
    parameters = tool["parameters"]
    if parameters == EMPTY:
        parameters = {"type": "object"}
    return [tool["name"], tool.get("description", ""), parameters]


def _words(content: str | list) -> str:
    return content if isinstance(content, str) else "\n\n".join(part["text"] for part in content)
