"""Our messages, tools and options in the shape of Gemini's generateContent. Pure.

Both of Google's SDKs take these dicts.
"""

from typing import Any

from producer.contract.requests import CompletionRequest
from producer.contract.tools import FunctionTool

from . import gemini_parts
from .gemini_parts import ALL, Features, parts_of_turn
from .gemini_schema import translated
from .pairing import paired
from .turns import CONTINUE, merged_turns, system_text


def unsupported(request: CompletionRequest) -> str:
    """The part of the request that the API cannot express, "" if there is none."""
    return gemini_parts.unsupported(request.messages)


def conversation(
    request: CompletionRequest, model: str, features: Features = ALL
) -> tuple[str, list[Any]]:
    """(system instruction, contents).

    System messages are joined, turns of one role merged, and blank texts dropped (each would be a
    400). The last turn is the user's.
    """
    messages = paired(request.messages)
    functions = {
        call.id: call.function.name for message in messages for call in message.tool_calls or ()
    }
    turns = merged_turns(
        messages, "model", lambda message: parts_of_turn(message, functions, features, model)
    )
    if not turns or turns[-1][0] == "model":
        turns.append(("user", [{"text": CONTINUE}]))
    contents = [{"role": role, "parts": parts} for role, parts in turns]
    return system_text(request.messages), contents


def options(request: CompletionRequest) -> dict[str, Any]:
    """What the request demands of the answer: stop, tools, structured output."""
    config: dict[str, Any] = {}
    if request.stop:
        config["stop_sequences"] = list(request.stop)
    if request.tools:
        declarations = [_declaration(tool.function) for tool in request.tools]
        config["tools"] = [{"function_declarations": declarations}]
    if request.web_search_options:
        config["tools"] = [{"google_search": {}}]
    wanted = request.response_format
    if wanted and wanted.type != "text":
        config["response_mime_type"] = "application/json"
        if wanted.json_schema:
            config["response_json_schema"] = translated(wanted.json_schema.schema_)
    return config


def _declaration(function: FunctionTool) -> dict[str, Any]:
    declaration = {
        "name": function.name,
        "description": function.description,
        "parameters_json_schema": function.parameters and function.arguments,
    }
    return {name: value for name, value in declaration.items() if value is not None}
