"""The representative conversations, and what of a conversation each protocol carries.

`meant` reads our request, `heard` what arrived on the wire; both are lists of turns of pieces, so
that they can be compared.
"""

import json
from pathlib import Path

from support import responses

from worker.providers.anthropic_messages import ONE_OBJECT

FILES = sorted((Path(__file__).parents[1] / "contract/conversations").glob("*.json"))
GO_ON = [["user", [["text", "Continue."]]]]


def load() -> list[dict]:
    """Every conversation, its file's name in front of its own."""
    found = [
        each | {"name": f"{file.stem}: {each['name']}"}
        for file in FILES
        for each in json.loads(file.read_text())
    ]
    assert len({each["name"] for each in found}) == len(found)
    return found


def meant(request: dict) -> dict:
    """What our request says."""
    return {
        "system": _joined(
            _words(each["content"])
            for each in request["messages"]
            if each["role"] in ("system", "developer")
        ),
        "turns": _turns(request["messages"]),
        "tools": [_function(tool["function"]) for tool in request.get("tools", ())],
        "stop": [request["stop"]]
        if isinstance(request.get("stop"), str)
        else list(request.get("stop", ())),
        "schema": (request.get("response_format") or {}).get("json_schema", {}).get("schema"),
    }


def heard(body: dict) -> dict:
    """What a provider understood; the protocol shows in the body's shape."""
    if "contents" in body:
        return _gemini(body)
    if "input" in body:
        return responses.heard(body)
    return (
        _anthropic(body)
        if "max_tokens" in body and "max_completion_tokens" not in body
        else meant(body)
    )


def _anthropic(body: dict) -> dict:
    names: dict = {}
    turns = [
        [
            turn["role"],
            [_block(each, names) for each in turn["content"] if each.get("text") != ONE_OBJECT],
        ]
        for turn in body["messages"]
    ]
    return {
        "system": body.get("system", ""),
        "turns": _without_go_on(turns),
        "tools": [
            _function(tool | {"parameters": tool["input_schema"]}) for tool in body.get("tools", ())
        ],
        "stop": body.get("stop_sequences", []),
        "schema": body.get("output_config", {}).get("format", {}).get("schema"),
    }


def _block(block: dict, names: dict) -> list:
    kind = block["type"]
    if kind == "image":
        source = block["source"]
        return [
            "image",
            source["url"]
            if source["type"] == "url"
            else f"data:{source['media_type']};base64,{source['data']}",
        ]
    if kind == "tool_use":
        names[block["id"]] = block["name"]
        return ["call", block["name"], block["input"]]
    if kind == "tool_result":
        return ["result", names[block["tool_use_id"]], block["content"]]
    return ["text", block["text"]]


def _gemini(body: dict) -> dict:
    roles = {"model": "assistant", "user": "user"}
    config = body.get("generationConfig", {})
    tools = [each for tool in body.get("tools", ()) for each in tool["functionDeclarations"]]
    schema = config.get("responseJsonSchema") or _lowered(config.get("responseSchema"))
    return {
        "system": _joined(
            part["text"] for part in body.get("systemInstruction", {}).get("parts", ())
        ),
        "turns": _without_go_on(
            [
                [roles[turn["role"]], [_part(part) for part in turn["parts"]]]
                for turn in body["contents"]
            ]
        ),
        "tools": [_function(tool | {"parameters": _parameters(tool)}) for tool in tools],
        "stop": config.get("stopSequences", []),
        "schema": schema,
    }


def _part(part: dict) -> list:
    if image := part.get("inlineData"):
        kind = image.get("mimeType") or image.get("mime_type")
        return ["image", f"data:{kind};base64,{image['data'].replace('-', '+').replace('_', '/')}"]
    if address := part.get("fileData"):
        return ["image", address.get("fileUri") or address["file_uri"]]
    if call := part.get("functionCall"):
        return ["call", call["name"], call.get("args", {})]
    if result := part.get("functionResponse"):
        return ["result", result["name"], result["response"]["result"]]
    return ["text", part["text"]]


def _parameters(tool: dict) -> dict | None:
    return (
        tool.get("parametersJsonSchema")
        or tool.get("parameters_json_schema")
        or _lowered(tool.get("parameters"))
    )


def _lowered(schema: dict | None) -> dict | None:
    """The old API's schema in JSON Schema's words."""
    if schema is None:
        return None
    words = {
        name: int(value) if name in ("minItems", "maxItems") else value
        for name, value in schema.items()
    }
    words["type"] = ("", "string", "number", "integer", "boolean", "array", "object")[
        schema["type"]
    ]
    if "items" in schema:
        words["items"] = _lowered(schema["items"])
    if "properties" in schema:
        words["properties"] = {
            name: _lowered(value) for name, value in schema["properties"].items()
        }
    return words


def _turns(messages: list) -> list:
    names = {
        call["id"]: call["function"]["name"]
        for each in messages
        for call in each.get("tool_calls") or ()
    }
    turns: list = []
    for each in messages:
        pieces = _pieces(each, names)
        role = "assistant" if each["role"] == "assistant" else "user"
        if each["role"] in ("system", "developer") or not pieces:
            continue
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(pieces)
        else:
            turns.append([role, pieces])
    return turns


def _pieces(message: dict, names: dict) -> list:
    if message["role"] == "tool":
        return [["result", names[message["tool_call_id"]], _words(message["content"])]]
    content = message.get("content") or ()
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    pieces = [
        ["text", part["text"]] if part["type"] == "text" else ["image", part["image_url"]["url"]]
        for part in parts
    ]
    pieces = [piece for piece in pieces if piece[1].strip()]
    if message.get("name") and message["role"] == "user":
        pieces[0][1] = f"{message['name']}: {pieces[0][1]}"
    return pieces + [
        ["call", call["function"]["name"], _arguments(call)]
        for call in message.get("tool_calls") or ()
    ]


def _arguments(call: dict) -> dict:
    try:
        value = json.loads(call["function"]["arguments"])
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"arguments": call["function"]["arguments"]}


def _function(function: dict) -> list:
    """A function without parameters is one with an empty object."""
    return [
        function["name"],
        function.get("description", ""),
        function.get("parameters") or {"type": "object"},
    ]


def _words(content: str | list) -> str:
    return content if isinstance(content, str) else "\n\n".join(part["text"] for part in content)


def _joined(texts) -> str:
    return "\n\n".join(text for text in texts if text.strip())


def _without_go_on(turns: list) -> list:
    """What we had to put in the user's mouth, because the API wants the user to begin or to end."""
    turns = turns[1:] if turns[:1] == GO_ON else turns
    return turns[:-1] if turns[-1:] == GO_ON else turns
