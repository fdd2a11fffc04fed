"""Tokens of a prompt before the call, between two bounds, without a network. The only importer of
splintr.

For a provider whose vocabulary is known, texts are counted by it and the bounds are that count
times its factors (model_catalog.toml), then times what the replies' usage has shown. For any other
the upper bound comes from the bytes alone.
"""

import json
import math
import re
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import splintr

from producer.contract.messages import ImagePart
from producer.contract.requests import CompletionRequest

from ..model_catalog import Models

PER_MESSAGE = 4
"""Role and separators of one message; OpenAI's chat format takes 3, and 1 more for a name."""

PER_REQUEST = 3
"""The opening of the answer, in OpenAI's chat format."""

TOOLS = 600
"""What a provider adds by itself once tools are given: Anthropic documents up to 530 tokens (Claude
3 Opus).
"""

IMAGE = 5_000
"""One image, whatever its size, which only the provider learns. Documented maxima after scaling:
GPT-4o 1,445, GPT-4.1-mini 2,489, GPT-4.1-nano 3,779, Claude 4,784. Known exception: gpt-4o-mini
bills 2,833 + 5,667 per tile, up to 48,169, to cost as much as GPT-4o; bounding that would hold ten
times too much for every other model, so its surplus is booked at settlement.
"""

LEARNED = 100
"""Replies after which the ratios seen replace the factors given. Of n ratios in no particular order
the next one is the largest with a chance of 1 in n + 1, so a bound at the largest is too low in
under 1 % of calls.
"""

REMEMBERED = 1_000

WORTH_LEARNING = 64
"""Tokens; the ratio of a shorter prompt is mostly its frame."""

_PLAIN = re.compile(rb"[a-z ]+")


class Bounds(NamedTuple):
    """Tokens of input: at least, at most. `low` 0: nobody knows this provider's vocabulary."""

    low: int
    high: int


class Estimator:
    """Bounds for requests, per model; learns from usage in this process. Thread-safe."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._lock = threading.Lock()
        self._ratios: defaultdict[tuple[str, str], deque[float]] = defaultdict(
            lambda: deque(maxlen=REMEMBERED)
        )

    def bounds(self, request: CompletionRequest, provider: str, model: str) -> Bounds:
        """How many tokens of input the provider will count."""
        ceiling = upper_bound(request)
        vocabulary = self._vocabulary(provider, model)
        if vocabulary is None:
            return Bounds(0, ceiling)
        low, high = self._factors(provider, model)
        texts = _counted(request, vocabulary)
        return Bounds(int(texts * low), int(min(ceiling, texts * high + 1 + _frame(request))))

    def learn(
        self, request: CompletionRequest, provider: str, model: str, input_tokens: int
    ) -> None:
        """The provider counted so many. Images and tools are no matter of a vocabulary and teach
        nothing.
        """
        vocabulary = self._vocabulary(provider, model)
        if vocabulary is None or request.tools or _images(request):
            return
        texts, told = _counted(request, vocabulary), input_tokens - _frame(request)
        if texts >= WORTH_LEARNING and told > 0:
            with self._lock:
                self._ratios[provider, model].append(told / texts)

    def _vocabulary(self, provider: str, model: str) -> str | None:
        return self._models.of(provider, model).tokenizer or self._models.vendor(provider).tokenizer

    def _factors(self, provider: str, model: str) -> tuple[float, float]:
        vendor = self._models.vendor(provider)
        with self._lock:
            seen = self._ratios[provider, model]
            if len(seen) >= LEARNED:
                return min(seen), max(seen)
            high = math.inf if vendor.high is None else vendor.high
            return min([vendor.low, *seen]), max([high, *seen])


def load_vocabularies(models: Models, links: Iterable[tuple[str, str]]) -> None:
    """Have those of all (provider, model) pairs in memory, before a fork shares it. Raises
    `ValueError` for one nobody knows.
    """
    for provider, model in links:
        if vocabulary := models.of(provider, model).tokenizer or models.vendor(provider).tokenizer:
            _tokenizer(vocabulary)


def upper_bound(request: CompletionRequest) -> int:
    """At least as many tokens as any provider with a byte-level vocabulary will count for this
    prompt.

    Not an estimate: true counts are 0.38 (English), 0.5 (code, JSON) or 0.2-0.4 (Chinese, Russian)
    of it. It must not be used to refuse a prompt as too long.
    """
    return _frame(request) + sum(_bytes_bound(text) for text in _texts(request))


def _frame(request: CompletionRequest) -> int:
    """What is not text: roles and separators, what providers add for tools, images."""
    fixed = PER_REQUEST + PER_MESSAGE * len(request.messages) + (TOOLS if request.tools else 0)
    return fixed + IMAGE * _images(request)


def _images(request: CompletionRequest) -> int:
    return sum(
        isinstance(part, ImagePart)
        for message in request.messages
        for part in message.content or ()
    )


def _counted(request: CompletionRequest, vocabulary: str) -> int:
    encode = _tokenizer(vocabulary).encode_ordinary
    # Not UTF-8: a lone surrogate, three bytes to a provider, is no text to the tokenizer.
    return sum(len(encode(text.encode("utf-8", "replace").decode())) for text in _texts(request))


@cache
def _tokenizer(vocabulary: str) -> Any:
    """Loading takes 0.02 (cl100k) to 0.12 s (gemma3) of CPU and 23 to 52 MB. Raises `ValueError`
    for an unknown name.
    """
    return splintr.Tokenizer.from_pretrained(vocabulary)


def _texts(request: CompletionRequest) -> Iterator[str]:
    """Every string the model gets to read: messages, tools, the schema of the answer."""
    for message in request.messages:
        yield from (text for _, text in message.texts())
    offered: list[Any] = [tool.model_dump(mode="json", exclude_none=True) for tool in request.tools]
    if request.response_format:
        offered.append(
            request.response_format.model_dump(mode="json", exclude_none=True, by_alias=True)
        )
    yield from (json.dumps(item, ensure_ascii=False) for item in offered)


def _bytes_bound(text: str) -> int:
    """One token per byte, but only 0.6 per byte, plus 0.4 per run, in runs of a-z and space.

    A token of a byte-level BPE covers at least one byte, so one per byte holds for any such
    tokenizer; plain words are the bulk of most prompts and are never that dense. Measured with
    splintr 0.22 over 46 kinds of text in chunks of 1,500 characters (prose, code, 21 languages,
    JSON, digits, base64, emoji, random letters): the worst ratio of true count to bound is 1.00 for
    o200k, cl100k, Llama 3, DeepSeek 3 and Mistral 3 alike (isolated letters, unassigned
    characters); random lower-case letters come to 0.88-0.95. Claude's tokenizer is not public: 1.47
    times the others on English (public measurements) stays below the bound, at 0.6 of it.
    """
    data = text.encode("utf-8", "surrogatepass")
    rest, runs = _PLAIN.subn(b"", data)
    plain = len(data) - len(rest)
    return len(rest) + -(-(6 * plain + 4 * runs) // 10)
