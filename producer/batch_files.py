"""Requests in the form of OpenAI's Batch API: `custom_id`, `method`, `url` and `body`.

They are sent as OpenAI would take them: what a body does not say is left to the provider.
"""

from typing import Any

from .contract.echoes import is_silent
from .contract.embeddings import request_fields
from .contract.errors import InvalidRequest
from .contract.identifiers import checked_label
from .contract.parameters import Parameters

URL = "/v1/chat/completions"
EMBEDDINGS = "/v1/embeddings"
_LINE = ("custom_id", "method", "url", "body")
_USED = {
    "messages",
    "model",
    "temperature",
    "stop",
    "tools",
    "response_format",
    "metadata",
    "max_tokens",
    "max_completion_tokens",
    "stream",
    "stream_options",
    "modalities",
    "functions",
    "function_call",
    *Parameters.model_fields,
} - {"drop_unsupported"}
_LEFT_TO_THE_PROVIDER = {"defaults": "provider", "on_truncation": "accept"}


def is_openai(fields: dict[str, Any] | None) -> bool:
    """Whether a file that holds this has OpenAI's form: ours has neither."""
    return fields is not None and ("body" in fields or "custom_id" in fields)


def wrong_id(place: str, custom_id: Any, seen: dict[str, str]) -> list[str]:
    """What is wrong with a line's id: OpenAI would refuse the file. `seen`: id -> its place."""
    if not isinstance(custom_id, str) or not custom_id:
        return [f"{place}: needs a custom_id that is a text"]
    try:
        checked_label("custom_id", custom_id)
    except InvalidRequest as error:
        return [f"{place}: {error.message}"]
    before = seen.setdefault(custom_id, place)
    if before != place:
        return [f"{place}: its custom_id is that of {before}, too"]
    return []


def request(line: dict[str, Any]) -> dict[str, Any]:
    """`complete`'s arguments from a line. Raises `InvalidRequest`."""
    if unknown := sorted(set(line) - {*_LINE}):
        raise InvalidRequest(f"{unknown[0]}: unknown beside {', '.join(_LINE)}. Fix: remove it")
    url = "/v1" + str(line.get("url", URL)).removeprefix("/v1")  # Azure's files leave it out
    is_post = str(line.get("method", "POST")).upper() == "POST"
    if url not in (URL, EMBEDDINGS) or not is_post:
        raise InvalidRequest(
            f"only POST {URL} and {EMBEDDINGS} are understood. Fix: leave out other endpoints"
        )
    body = line.get("body")
    if not isinstance(body, dict):
        raise InvalidRequest("body is no object. Fix: make it the parameters of a chat completion")
    name = {"name": line.get("custom_id", "")}
    if url == EMBEDDINGS:
        return _vectors(body) | name
    given = {name: value for name, value in body.items() if not is_silent(value)}
    if given.get("store") is True:
        # It is about the account, and changes no answer.
        del given["store"]
    if unknown := sorted(given.keys() - _USED):
        raise InvalidRequest(f"body.{unknown[0]} cannot be honoured. Fix: leave it out")
    return given | _LEFT_TO_THE_PROVIDER | name


def _vectors(body: dict[str, Any]) -> dict[str, Any]:
    """`complete`'s arguments that ask for vectors. Raises `InvalidRequest`."""
    given = {name: value for name, value in body.items() if value is not None}
    if given.pop("encoding_format", "float") != "float":
        raise InvalidRequest("body.encoding_format: results are numbers. Fix: leave it out")
    if "input" not in given:
        raise InvalidRequest("body.input: required and missing. Fix: add it")
    if unknown := sorted(given.keys() - {"input", "model", "dimensions"}):
        raise InvalidRequest(f"body.{unknown[0]} cannot be honoured. Fix: leave it out")
    try:
        return request_fields(given.pop("input"), given.pop("dimensions", None), **given)
    except InvalidRequest as error:
        raise InvalidRequest(error.message.replace("texts", "body.input", 1)) from None
