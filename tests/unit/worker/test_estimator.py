"""Bounds of a prompt's tokens hold on the corpus and on generated text, for every provider."""

from functools import cache

import pytest
import splintr
from support.corpus import generated, shipped

from producer.contract.requests import CompletionRequest
from worker.model_catalog import Models
from worker.providers.tokens import LEARNED, Estimator, load_vocabularies, upper_bound

# Claude's vocabulary is not public: other byte-level ones stand in for it, the dearest of them each
# time.
TRUTHS = {
    "openai": ("gpt-6-luna", ["o200k_base"]),
    "gemini": ("gemini-3.5-flash-lite", ["gemma3"]),
    "anthropic": ("claude-haiku-5-5", ["llama3", "mistral_v3", "deepseek_v3", "qwen3"]),
    "local": ("llama", ["llama3", "mistral_v3", "deepseek_v3", "qwen3", "cl100k_base"]),
}
vocabulary = cache(splintr.Tokenizer.from_pretrained)


@cache
def corpus():
    plain = [each for each in shipped() if "image_url" not in str(each)]
    return [
        CompletionRequest.checked(messages=messages)
        for messages in [*plain, *generated(seed=3, count=324)]
    ]


def true(provider, request):
    """The texts, and three tokens a message and three for the opening of the answer."""
    texts = [text for message in request.messages for _, text in message.texts()]
    counts = [
        sum(len(vocabulary(name).encode_ordinary(text)) for text in texts)
        for name in TRUTHS[provider][1]
    ]
    return max(counts) + 3 * len(request.messages) + 3


@pytest.mark.parametrize("provider", TRUTHS)
def test_the_upper_bound_is_too_low_in_at_most_one_call_of_a_hundred(provider):
    """From the first call on, learning on the way; and never above one token per byte."""
    estimator, model = Estimator(Models.load()), TRUTHS[provider][0]
    below = 0
    for request in corpus():
        bounds = estimator.bounds(request, provider, model)
        counted = true(provider, request)
        below += bounds.high < counted
        assert bounds.low <= counted
        assert bounds.high <= upper_bound(request)
        estimator.learn(request, provider, model, counted)
    assert below <= len(corpus()) / 100


def ask(text):
    return CompletionRequest.checked(messages=[{"role": "user", "content": text}])


def test_after_enough_answers_what_was_seen_replaces_the_factors():
    """Per model; a model that always counts 1.1 to 1.2 times our count is bounded by just that."""
    estimator, request = Estimator(Models.load()), ask("word " * 1000)
    for number in range(LEARNED):
        assert estimator.bounds(request, "openai", "gpt-6-luna") == (1001, 1259)
        estimator.learn(request, "openai", "gpt-6-luna", 7 + 1101 + number)
    low, high = estimator.bounds(request, "openai", "gpt-6-luna")
    assert (low, high) == (1101, 1200 + 1 + 7)
    assert estimator.bounds(request, "openai", "gpt-5.4-mini") == (1001, 1259)


def test_a_dearer_answer_than_the_factors_allow_counts_at_once():
    """The next call of the kind must not be held too low again."""
    estimator, request = Estimator(Models.load()), ask("word " * 1000)
    estimator.learn(request, "openai", "gpt-6-luna", 2009)
    assert estimator.bounds(request, "openai", "gpt-6-luna").high >= 2009


def test_images_tools_and_short_prompts_teach_nothing():
    """Their tokens are no matter of the vocabulary."""
    estimator, probe = Estimator(Models.load()), ask("word " * 1000)
    before = estimator.bounds(probe, "openai", "gpt-6-luna")
    tool = {"type": "function", "function": {"name": "f"}}
    image = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        {"type": "text", "text": "word " * 99},
    ]
    for request in (
        ask("hi"),
        ask(image),
        CompletionRequest.checked(
            messages=[{"role": "user", "content": "word " * 99}], tools=[tool]
        ),
    ):
        estimator.learn(request, "openai", "gpt-6-luna", 50_000)
    assert estimator.bounds(probe, "openai", "gpt-6-luna") == before


def test_a_provider_whose_vocabulary_is_not_known_is_bounded_by_bytes():
    request = ask("word " * 1000)
    assert Estimator(Models.load()).bounds(request, "local", "llama") == (0, upper_bound(request))


def test_a_vocabulary_that_does_not_exist_is_reported_at_startup(tmp_path):
    extra = tmp_path / "models.toml"
    extra.write_text('[local]\ntokenizer = "nonsense"\n')
    models = Models.load(extra)
    load_vocabularies(models, [("openai", "gpt-6-luna")])
    with pytest.raises(ValueError, match="nonsense"):
        load_vocabularies(models, [("local", "llama")])


def test_half_a_character_can_be_counted():
    """JSON can carry a lone surrogate; it is no UTF-8."""
    request = CompletionRequest.model_validate(
        {"messages": [{"role": "user", "content": "\ud800" * 5}]}
    )
    assert Estimator(Models.load()).bounds(request, "openai", "gpt-6-luna").low >= 1
