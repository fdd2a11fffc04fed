"""Embeddings on the wire, at OpenAI and at Gemini: vectors that follow from their texts."""

import base64
import hashlib
from array import array
from random import Random

from support.protocol_openai import ChatCompletions

DIMENSIONS = 8


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Numbers that 32 bits hold exactly."""
    digest = hashlib.sha256(text.encode()).digest()
    return [digest[place % 32] / 256 - 0.5 for place in range(dimensions)]


def near_vector(text: str) -> list[float]:
    """About 0.95 like those of texts with the same last word, and like no others."""
    topic = Random(text.split()[-1].strip("?.").lower())
    own = Random(text)
    return [topic.gauss() + 0.2 * own.gauss() for _ in range(64)]


class Embeddings(ChatCompletions):
    """Events: `numbers` (not in base64), `few` (one too few), `backwards` (by their index), `near`
    (`near_vector`).
    """

    def answer(self, request: dict, name: str, options: dict, reply: dict) -> dict:
        size = int(options.get("dimensions", request.get("dimensions", DIMENSIONS)))
        rows = [vector(text, size) for text in request["input"]]
        if name == "near":
            rows = [near_vector(text) for text in request["input"]]
        packed = request["encoding_format"] == "base64" and name != "numbers"
        data = [
            {"object": "embedding", "index": index, "embedding": _packed(row) if packed else row}
            for index, row in enumerate(rows)
        ]
        if name == "few":
            data.pop()
        if name == "backwards":
            data.reverse()
        if name == "empty":
            data = []
        body: dict = {"object": "list", "data": data, "model": request["model"]}
        if name != "nousage":
            tokens = int(options.get("in", _tokens(request["input"])))
            body["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
        return body


def gemini_answer(request: dict, name: str) -> dict:
    """Of batchEmbedContents."""
    rows = []
    for each in request["requests"]:
        text = "".join(part["text"] for part in each["content"]["parts"])
        rows.append({"values": vector(text, each.get("outputDimensionality", DIMENSIONS))})
    if name in ("few", "empty"):
        rows.pop()
    texts = [each["content"]["parts"][0]["text"] for each in request["requests"]]
    usage = {"usageMetadata": {"promptTokenCount": _tokens(texts)}}
    return {"embeddings": rows} | ({} if name == "nousage" else usage)


def _packed(row: list[float]) -> str:
    return base64.b64encode(array("f", row).tobytes()).decode()


def _tokens(texts: list[str]) -> int:
    return max(1, sum(map(len, texts)) // 4)
