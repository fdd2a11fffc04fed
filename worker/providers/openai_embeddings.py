"""Embeddings at OpenAI and the servers that speak its API: translation; no retries, no waiting."""

from typing import Any

from .base import Call, Reply
from .bodies import Json, documents, items, mapping, text_of
from .provider_options import with_options
from .statuses import bad_response
from .transport import translating
from .usages import count, openai_usage
from .vectors import RawVectors, vectors_reply


async def embed(client: Any, call: Call, user: str) -> Reply:
    """One call of the SDK's `client`. `user`: who asks, "" where that is not told."""
    with translating(call.patience):
        raw = await client.embeddings.with_raw_response.create(
            **with_options(_parameters(call, user), call.options),
            extra_headers=call.all_headers,
        )
        answer = _read(documents(raw.http_response.content))
        answer.request_id = raw.headers.get("x-request-id")
        return vectors_reply(call, answer, raw.headers)


def _parameters(call: Call, user: str) -> dict[str, Any]:
    """Vectors in base64 take a third of the time and the bytes; servers that do not know it send
    numbers.
    """
    refused = "encoding_format" in call.refused
    parameters: dict[str, Any] = {
        "model": call.model,
        "input": call.request.sole_texts,
        "encoding_format": "float" if refused else "base64",
    }
    if call.request.embedding and call.request.embedding.dimensions:
        parameters["dimensions"] = call.request.embedding.dimensions
    if user and "user" not in call.refused:
        parameters["user"] = user
    return parameters


def _read(found: list[Json]) -> RawVectors:
    """Raises `ProviderError` for a body without vectors in it."""
    if not found:
        raise bad_response("a 200 that is not the API's JSON")
    body = found[0]
    rows = [mapping(each) for each in items(body.get("data"))]
    places = [count(row.get("index")) for row in rows]
    if sorted(place for place in places if place is not None) == list(range(len(rows))):
        rows.sort(key=lambda row: count(row.get("index")) or 0)
    return RawVectors(
        [row.get("embedding") for row in rows],
        openai_usage(body.get("usage")),
        text_of(body.get("model")),
    )
