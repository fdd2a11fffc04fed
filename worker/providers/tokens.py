"""How many tokens a prompt has, between two bounds, before the call and without a network.

For a provider whose vocabulary is known, texts are counted with it, and the bounds are that count
times its factors (model_catalog.toml). For any other provider the upper bound comes from the bytes
alone. What replies show beyond the factors widens them for a while; nothing narrows them, because
one user's English says nothing of another's Hindi, and the upper bound is what a limit is held by.
"""

import json
import math
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import NamedTuple

from producer.contract.content import AudioPart, FilePart, ImagePart
from producer.contract.requests import CompletionRequest

from ..model_catalog import Models
from .bytes_bound import LEAST_SHARE, bytes_bound
from .last_request import of_last
from .media import tokens_of_media
from .turns import all_parts
from .vocabularies import count, load

PER_MESSAGE = 4
"""Role and separators of one message; OpenAI's chat format takes 3, and 1 more for a name."""

PER_REQUEST = 3
"""The opening of the answer, in OpenAI's chat format."""

TOOLS = 1_000
"""What a provider adds by itself to a request with tools.

Anthropic documents up to 530 tokens (Claude 3 Opus) and adds more to later models.
"""

IMAGE = 16_384
"""One image of a model that the catalog has no bound for, whatever the image's size.

The largest default of the vision models that are common on own servers: Qwen2-VL's 12,845,056
pixels in patches of 28 x 28 (its preprocessor's `max_pixels`).
"""

REMEMBERED = 1_000
"""Ratios kept of each model; older ones are forgotten, and no longer widen its factors."""

WORTH_LEARNING = 64
"""Tokens; the ratio of a shorter prompt says more of its frame than of the vocabulary."""

COMMON_VOCABULARY = "o200k_base"
COMMON_FACTOR = 1.25
"""Stand for a vocabulary that is not known, where a likely count is wanted and not a bound."""


class Bounds(NamedTuple):
    """Tokens of input: at least, at most. `low` 0: this provider's vocabulary is not known."""

    low: int
    high: int


class _Facts(NamedTuple):
    """Of a model: its vocabulary, if that is known, and what an image takes at most."""

    vocabulary: str | None
    image: int


class Estimator:
    """Bounds for requests, per model; learns from usage in this process. Thread-safe."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._lock = threading.Lock()
        self._ratios: defaultdict[tuple[str, str], deque[float]] = defaultdict(
            lambda: deque(maxlen=REMEMBERED)
        )
        self._extremes: dict[tuple[str, str], tuple[float, float]] = {}
        """The least and the most of the ratios of a model."""
        self._facts: dict[tuple[str, str], _Facts] = {}

    def bounds(self, request: CompletionRequest, provider: str, model: str) -> Bounds:
        """Between which bounds the provider will count the input's tokens."""
        asked = (self, provider, model, *self._factors(provider, model))
        return of_last(request, asked, lambda: self._bounds(request, *asked[1:]))

    def by_catalog(self, request: CompletionRequest, provider: str, model: str) -> Bounds:
        """The same without what was learnt: equal in every process and at every time."""
        return self._bounds(request, provider, model, *self._known_factors(provider))

    def least(self, text: str, provider: str, model: str) -> int:
        """How many tokens the text has at least; 0 where the provider's vocabulary is not known."""
        vocabulary = self._facts_of(provider, model).vocabulary
        if vocabulary is None:
            return 0
        low, _ = self._factors(provider, model)
        return int(count(text, vocabulary) * low)

    def count(self, request: CompletionRequest, provider: str, model: str) -> int:
        """Our own count, for a server that states none; seldom below the real one."""
        vocabulary, image = self._facts_of(provider, model)
        if vocabulary:
            return self.bounds(request, provider, model).high
        counted = math.ceil(_counted(request, COMMON_VOCABULARY) * COMMON_FACTOR)
        return min(upper_bound(request, image), counted + _frame(request, image))

    def learn(
        self,
        request: CompletionRequest,
        provider: str,
        model: str,
        input_tokens: int,
    ) -> None:
        """Take in how many tokens the provider counted.

        Requests with images or tools are ignored: their tokens do not depend on the vocabulary.
        """
        vocabulary, _ = self._facts_of(provider, model)
        if vocabulary is None or request.tools or _has_media(request) or _sealed(request, model):
            return
        counted = _counted(request, vocabulary)
        without_frame = input_tokens - _frame(request, image=0)
        if counted >= WORTH_LEARNING and without_frame > 0:
            self._note((provider, model), without_frame / counted)

    def _note(self, model: tuple[str, str], ratio: float) -> None:
        with self._lock:
            ratios = self._ratios[model]
            forgotten = ratios[0] if len(ratios) == REMEMBERED else None
            ratios.append(ratio)
            least, most = self._extremes.get(model, (ratio, ratio))
            self._extremes[model] = min(least, ratio), max(most, ratio)
            if forgotten in (least, most):
                self._extremes[model] = min(ratios), max(ratios)

    def _bounds(
        self, request: CompletionRequest, provider: str, model: str, low: float, high: float
    ) -> Bounds:
        vocabulary, image = self._facts_of(provider, model)
        sealed = _sealed(request, model)
        if vocabulary is None:
            return Bounds(0, upper_bound(request, image) + sealed)
        counted = _counted(request, vocabulary)
        most = counted * high + 1
        if most > LEAST_SHARE * _summed(request, len):
            most = min(most, _summed(request, bytes_bound))
        return Bounds(int(counted * low), int(most + _frame(request, image) + sealed))

    def _factors(self, provider: str, model: str) -> tuple[float, float]:
        """What to multiply our own count with for the lower and the upper bound."""
        low, high = self._known_factors(provider)
        least, most = self._extremes.get((provider, model), (low, high))
        return min(low, least), max(high, most)

    def _facts_of(self, provider: str, model: str) -> _Facts:
        """Kept: to look a model up by its beginning takes 15 us, and a job asks five times."""
        found = self._facts.get((provider, model))
        if found is None:
            image = self._models.image_tokens(provider, model) or IMAGE
            found = _Facts(_vocabulary(self._models, provider, model), image)
            self._facts[provider, model] = found
        return found

    def _known_factors(self, provider: str) -> tuple[float, float]:
        vendor = self._models.vendor(provider)
        return vendor.low, math.inf if vendor.high is None else vendor.high


def load_vocabularies(models: Models, links: Iterable[tuple[str, str]]) -> None:
    """Load the vocabularies of all (provider, model) pairs before a fork, which shares the memory.

    Raises `ValueError` for a vocabulary that does not exist.
    """
    for provider, model in links:
        if vocabulary := _vocabulary(models, provider, model):
            load(vocabulary)


def _vocabulary(models: Models, provider: str, model: str) -> str | None:
    """The name of the model's own vocabulary, else its provider's; None if not known."""
    vendor = models.vendor(provider)
    return vendor.of(model).tokenizer or vendor.tokenizer


def upper_bound(request: CompletionRequest, image: int = IMAGE) -> int:
    """At least as many tokens as any byte-level vocabulary makes of this prompt, whose images take
    at most `image` each.

    Not an estimate: true counts are 0.38 (English), 0.5 (code, JSON) or 0.2-0.4 (Chinese, Russian)
    of it. It must not be used to refuse a prompt as too long.
    """
    return _frame(request, image) + _summed(request, bytes_bound)


def predicted(request: CompletionRequest) -> int:
    """Tokens of a prediction at most: what of it is not in the answer is billed as output, too."""
    if request.prediction is None:
        return 0
    return sum(bytes_bound(text) for text in request.prediction.texts())


def _frame(request: CompletionRequest, image: int) -> int:
    """Tokens that are not text: roles and separators, what providers add for tools, images."""
    return of_last(request, ("frame", image), lambda: _frame_of(request, image))


def _frame_of(request: CompletionRequest, image: int) -> int:
    tokens = PER_REQUEST + PER_MESSAGE * len(request.messages)
    if request.tools:
        tokens += TOOLS
    return tokens + image * _images(request) + tokens_of_media(request, image)


def _sealed(request: CompletionRequest, model: str) -> int:
    """At least the tokens of what this model thought and gets back.

    A thought may be told as its summary, and be whole in its seal: three bytes in four letters of
    base64, and at most a token of each byte.
    """
    tokens = 0
    for message in request.messages:
        kept = message.kept
        if kept and kept.model == model:
            for piece in kept.pieces:
                thought = piece.thought or ""
                tokens += len(thought.encode("utf-8", "surrogatepass"))
                tokens += len(piece.seal) * 3 // 4
    return tokens


def _has_media(request: CompletionRequest) -> bool:
    media = (ImagePart, FilePart, AudioPart)
    return any(isinstance(part, media) for _, part in all_parts(request.messages))


def _images(request: CompletionRequest) -> int:
    return sum(isinstance(part, ImagePart) for _, part in all_parts(request.messages))


def _counted(request: CompletionRequest, vocabulary: str) -> int:
    """Tokens of the request's texts by the vocabulary."""
    return _summed(request, _counter(vocabulary))


@cache
def _counter(vocabulary: str) -> Callable[[str], int]:
    return partial(count, vocabulary=vocabulary)


def _summed(request: CompletionRequest, counted: Callable[[str], int]) -> int:
    """Of `counted` over the request's texts."""
    return of_last(request, counted, lambda: sum(map(counted, _texts(request))))


def _texts(request: CompletionRequest) -> Iterator[str]:
    """Every string that the model reads: messages, tools, the schema of the answer."""
    for message in request.messages:
        yield from (text for _, text in message.texts())
    if request.provider_options:
        yield json.dumps(request.provider_options, ensure_ascii=False)
    for tool in request.tools:
        fields = tool.model_dump(mode="json", exclude_none=True)
        yield json.dumps(fields, ensure_ascii=False)
    if request.response_format:
        fields = request.response_format.model_dump(
            mode="json",
            exclude_none=True,
            by_alias=True,
        )
        yield json.dumps(fields, ensure_ascii=False)
