"""Requests of every kind with what each provider would count, and a user's limit that they draw on.

Truth is the provider's vocabulary (o200k for OpenAI, Gemma 3's for Gemini). Claude's is not public:
its stand-in is the largest count among four other vocabularies. Images are counted by the formulas
that model_catalog.toml names.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import splintr

from producer.contract.content import ImagePart
from producer.contract.requests import CompletionRequest

from .corpus import KINDS, generated, shipped

STAND_INS = ("llama3", "mistral_v3", "deepseek_v3", "qwen3")
TRUTHS = {"openai": ("o200k_base",), "gemini": ("gemma3",), "anthropic": STAND_INS}
MODELS = {
    "openai": "gpt-4o-mini",
    "gemini": "gemini-3.5-flash-lite",
    "anthropic": "claude-haiku-5-5",
}
ADDED_FOR_TOOLS = 530
"""Claude 3 Opus, as Anthropic documents it."""
AT_ONCE = 8

vocabulary = cache(splintr.Tokenizer.from_pretrained)


def _scaled(width: int, height: int, long: float) -> tuple[float, float]:
    factor = min(1.0, long / max(width, height))
    return width * factor, height * factor


def _openai(width: int, height: int) -> int:
    """GPT-4o mini's tiles."""
    wide, high = _scaled(width, height, 2048)
    factor = min(1.0, 768 / min(wide, high))
    tiles = math.ceil(wide * factor / 512) * math.ceil(high * factor / 512)
    return 2833 + 5667 * tiles


def _anthropic(width: int, height: int) -> int:
    wide, high = _scaled(width, height, 2576)
    return min(4784, math.ceil(wide / 28) * math.ceil(high / 28))


def _gemini(width: int, height: int) -> int:
    if width <= 384 and height <= 384:
        return 258
    wide, high = _scaled(width, height, 3072)
    edge = min(768, max(256, min(wide, high) / 1.5))
    return 258 * math.ceil(wide / edge) * math.ceil(high / edge)


IMAGE_TOKENS = {"openai": _openai, "anthropic": _anthropic, "gemini": _gemini}


@dataclass(frozen=True, eq=False)
class Asked:
    """A request of one kind; `sizes`: of its images in pixels."""

    kind: str
    request: CompletionRequest
    sizes: tuple[tuple[int, int], ...] = ()

    @cache  # noqa: B019 -- a corpus lives as long as its test
    def tokens(self, provider: str) -> int:
        """The texts, three tokens a message and three to open the answer, tools and images."""
        texts = [text for each in self.request.messages for _, text in each.texts()]
        texts += [tool.model_dump_json(exclude_none=True) for tool in self.request.tools]
        frame = 3 * len(self.request.messages) + 3 + ADDED_FOR_TOOLS * bool(self.request.tools)
        counts = [
            sum(len(vocabulary(name).encode_ordinary(text)) for text in texts)
            for name in TRUTHS[provider]
        ]
        return max(counts) + frame + sum(IMAGE_TOKENS[provider](*size) for size in self.sizes)


def texts(seed: int, count: int) -> list[Asked]:
    """The shipped conversations, and `count` generated ones of every kind in turn."""
    plain = [each for each in shipped() if "image_url" not in str(each)]
    kinds = ["shipped"] * len(plain) + [KINDS[n % len(KINDS)] for n in range(count)]
    messages = [*plain, *generated(seed, count)]
    return [
        Asked(kind, CompletionRequest.checked(messages=each))
        for kind, each in zip(kinds, messages, strict=True)
    ]


def with_tools(seed: int, count: int) -> Iterator[Asked]:
    """Schemas of many fields, described in the words of all scripts."""
    chance = random.Random(seed)
    words = [each[0]["content"][:60] for each in generated(seed, 40)]
    for _ in range(count):
        fields = {
            f"field_{n}": {"type": "string", "description": chance.choice(words)}
            for n in range(chance.randint(1, 30))
        }
        parameters = {"type": "object", "properties": fields}
        function = {"name": "look_up", "parameters": parameters}
        tools = [{"type": "function", "function": function}]
        messages = [{"role": "user", "content": chance.choice(words)}]
        yield Asked("tools", CompletionRequest.checked(messages=messages, tools=tools))


def with_images(seed: int, count: int) -> Iterator[Asked]:
    """From an icon to 8,000 x 8,000 pixels, of every shape."""
    chance = random.Random(seed)
    part = ImagePart.model_validate(
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    ).model_dump(exclude_none=True)
    for _ in range(count):
        sizes = tuple(
            (int(8 * 1000 ** chance.random()), int(8 * 1000 ** chance.random()))
            for _ in range(chance.randint(1, 3))
        )
        content = [{"type": "text", "text": "What is this?"}, *[part] * len(sizes)]
        request = CompletionRequest.checked(messages=[{"role": "user", "content": content}])
        yield Asked("images", request, sizes)


def everything(seed: int, count: int) -> list[Asked]:
    """`count` texts, and a tenth as many with tools and with images each."""
    tenth = count // 10
    return [*texts(seed, count), *with_tools(seed, tenth), *with_images(seed, tenth)]


def orders(asked: list[Asked], provider: str) -> dict[str, list[Asked]]:
    """Ways to send them, chosen to teach an estimator what is wrong for what follows."""
    english = [each for each in asked if each.kind == "english"]
    others = [each for each in asked if each.kind != "english"]
    by_density = sorted(asked, key=lambda each: each.tokens(provider) / len(str(each.request)))
    mixed = list(asked)
    random.Random(7).shuffle(mixed)
    return {
        "English first": [*english * (110 // len(english) + 1), *others],
        "sparse first": by_density,
        "dense first": by_density[::-1],
        "mixed": mixed,
    }


@dataclass
class Spent:
    """What a limit of tokens saw of it. `below`: bounds that were too low, `surplus` by how much
    the worst was; `held`: all bounds together, `used`: all that was counted.
    """

    limit: int
    used: int = 0
    held: int = 0
    below: int = 0
    surplus: int = 0

    def take(self, held: int, used: int) -> None:
        self.held += held
        self.used += used
        self.below += used > held
        self.surplus = max(self.surplus, used - held)


def spend(estimator, provider: str, asked: list[Asked], share: float) -> Spent:
    """Send them, `AT_ONCE` at a time, while their holds fit a limit of `share` of what they take;
    what does not fit is refused. Every answer teaches the estimator.
    """
    model = MODELS[provider]
    spent = Spent(int(share * sum(each.tokens(provider) for each in asked)))
    for start in range(0, len(asked), AT_ONCE):
        running, held = [], 0
        for each in asked[start : start + AT_ONCE]:
            hold = estimator.bounds(each.request, provider, model).high
            if spent.used + held + hold <= spent.limit:
                running.append((each, hold))
                held += hold
        for each, hold in running:
            used = each.tokens(provider)
            spent.take(hold, used)
            estimator.learn(each.request, provider, model, used)
    return spent
