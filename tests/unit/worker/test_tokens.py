"""The bound before a call holds for every measured kind of text, and misses nothing counted."""

import base64
import json
import random
from typing import Any

import pytest

from producer.contract.requests import CompletionRequest
from worker.model_catalog import Models
from worker.providers.tokens import (
    IMAGE,
    PER_MESSAGE,
    PER_REQUEST,
    TOOLS,
    Estimator,
    upper_bound,
)

RANDOM = random.Random(7)
SENTENCE = (
    "The quick brown fox jumps over the lazy dog, "
    "and then it rests for a while in the shade of an old oak. "
)
ENGLISH = SENTENCE * 10
CODE = (
    "def total(items: list[int]) -> int:\n    return sum(item for item in items if item > 0)\n\n\n"
    * 12
)
JSON = json.dumps([{"id": n * 7919, "name": "anna", "price": n / 7, "ok": True} for n in range(40)])

# Tokens per character with o200k as measured (providers.md section 6 and splintr 0.22), the dearest
# chunk; and how much dearer the dearest other tokenizer was seen to be: Claude 1.6 on prose and
# code, Gemma 1.31 on JSON and 2.2 on digits.
MEASURED = [
    pytest.param(ENGLISH, 0.28, 1.6, id="english"),
    pytest.param(CODE, 0.30, 1.6, id="code"),
    pytest.param(JSON, 0.45, 1.31, id="json"),
    pytest.param("人工智能正在改变我们的生活方式。" * 40, 0.65, 1.34, id="chinese"),
    pytest.param("人工知能は私たちの生活を変えています。" * 40, 0.65, 1.34, id="japanese"),
    pytest.param("الذكاء الاصطناعي يغير حياتنا " * 40, 0.37, 2.0, id="arabic"),
    pytest.param("कृत्रिम बुद्धिमत्ता हमारे जीवन को बदल रही है " * 30, 0.37, 2.7, id="hindi"),
    pytest.param("Искусственный интеллект меняет нашу жизнь " * 30, 0.33, 1.6, id="russian"),
    pytest.param("😀🚀🎉🧪🦊" * 100, 2.36, 1.6, id="emoji"),
    pytest.param(base64.b64encode(RANDOM.randbytes(1_200)).decode(), 0.70, 1.1, id="base64"),
    pytest.param(RANDOM.randbytes(800).hex(), 0.60, 1.1, id="hex"),
    pytest.param("".join(RANDOM.choices("0123456789", k=1_500)), 0.456, 2.2, id="digits"),
    pytest.param(
        "".join(RANDOM.choices("abcdefghijklmnopqrstuvwxyz", k=1_500)),
        0.56,
        1.0,
        id="random letters",
    ),
    pytest.param("a\nb," * 300, 1.0, 1.0, id="every letter alone"),
]


def of(content: Any, **fields: Any) -> int:
    """Also of an empty text, which `CompletionRequest.checked` would refuse."""
    return upper_bound(CompletionRequest(messages=[{"role": "user", "content": content}], **fields))


FRAME = of("")


@pytest.mark.parametrize(("text", "per_character", "other_tokenizers"), MEASURED)
def test_it_bounds_every_measured_kind_of_text(
    text: str, per_character: float, other_tokenizers: float
) -> None:
    """The dearest chunk, times what the dearest other tokenizer adds, is within the bound."""
    assert of(text) - FRAME >= len(text) * per_character * min(
        other_tokenizers, len(text.encode()) / len(text) / per_character
    )


@pytest.mark.parametrize("text", [ENGLISH, CODE], ids=["english", "code"])
def test_it_is_tighter_than_one_per_byte(text: str) -> None:
    """Plain prose and code must not be held at four times their size."""
    assert of(text) - FRAME <= 0.75 * len(text)


def test_longer_is_never_less() -> None:
    """Text added to a prompt cannot lower its bound."""
    bounds = [of((ENGLISH + JSON)[:size]) for size in range(0, 900, 7)]
    assert bounds == sorted(bounds)


def test_messages_cost_their_frame() -> None:
    """Roles and separators count per message."""
    two = CompletionRequest(
        messages=[{"role": "system", "content": ""}, {"role": "user", "content": ""}]
    )
    assert FRAME == PER_REQUEST + PER_MESSAGE
    assert upper_bound(two) == FRAME + PER_MESSAGE


def test_schemas_count() -> None:
    """The model reads tools and response formats; tools bring a provider's own instructions."""
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "x" * 1_000}},
    }
    tool = {"type": "function", "function": {"name": "weather", "parameters": parameters}}
    schema = {"type": "json_schema", "json_schema": {"name": "answer", "schema": parameters}}
    assert of("hi", tools=[tool]) > of("hi") + TOOLS + 600
    assert of("hi", response_format=schema) > of("hi") + 600


def test_tool_calls_count() -> None:
    """What an assistant called earlier, and the name of who speaks, are part of the prompt."""
    call = {
        "id": "c1",
        "function": {"name": "weather", "arguments": json.dumps({"city": "x" * 1_000})},
    }
    called = CompletionRequest.checked(
        messages=[
            {"role": "assistant", "tool_calls": [call], "name": "bot"},
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        ]
    )
    assert upper_bound(called) > FRAME + 600


@pytest.mark.parametrize(
    ("provider", "model", "most"),
    [
        ("openai", "gpt-4o-mini-2024-07-18", 48_169),
        ("openai", "gpt-4o", 1_445),
        ("openai", "gpt-6-luna", 6_150),
        ("anthropic", "claude-haiku-5-5", 4_784),
        ("gemini", "gemini-3.5-flash-lite", 6_192),
        ("local", "llava", IMAGE),
    ],
)
def test_an_image_is_bounded_by_its_models_formula(provider: str, model: str, most: int) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    estimator = Estimator(Models.load())
    ask = CompletionRequest.checked
    text = {"type": "text", "text": "x"}
    one = ask(messages=[{"role": "user", "content": [text, image]}])
    two = ask(messages=[{"role": "user", "content": [text, image, image]}])
    bounds = [estimator.bounds(each, provider, model).high for each in (one, two)]
    assert bounds[1] - bounds[0] == most


def test_an_image_counts_flat() -> None:
    """Its size is unknown for a link, and the bytes of an inline one are not text."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 50_000}}
    assert of([{"type": "text", "text": ""}, image, image]) == FRAME + 2 * IMAGE
