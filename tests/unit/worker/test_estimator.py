"""Bounds of a prompt's tokens hold whatever is sent, and whatever was sent before."""

from functools import cache

import pytest
from support.corpus import KINDS
from support.estimating import MODELS, STAND_INS, everything, orders, spend, vocabulary

from producer.contract.requests import CompletionRequest
from worker.model_catalog import Models
from worker.providers.tokens import REMEMBERED, Estimator, load_vocabularies, upper_bound

ORDERS = ("English first", "sparse first", "dense first", "mixed")
everything = cache(everything)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("provider", MODELS)
def test_no_order_of_requests_passes_a_limit(provider, order):
    """In 14 scripts, code, digits, base64, emoji, tool schemas, images of all sizes."""
    asked = everything(seed=3, count=6 * len(KINDS))
    spent = spend(Estimator(Models.load()), provider, orders(asked, provider)[order], share=0.5)
    assert spent.used <= spent.limit
    assert (spent.below, spent.surplus) == (0, 0)
    assert spent.used > 0.5 * spent.limit  # it does not hold by refusing everything


@pytest.mark.parametrize("provider", MODELS)
def test_the_lower_bound_is_never_above_the_truth(provider):
    """Else a prompt that fits would be refused as too long. Nothing sent before may raise it."""
    estimator = Estimator(Models.load())
    for each in orders(everything(seed=3, count=6 * len(KINDS)), provider)["dense first"]:
        bounds = estimator.bounds(each.request, provider, MODELS[provider])
        counted = each.tokens(provider)
        assert bounds.low <= counted
        estimator.learn(each.request, provider, MODELS[provider], counted)


def test_a_vocabulary_that_is_not_known_is_bounded_by_bytes():
    for each in everything(seed=3, count=6 * len(KINDS)):
        low, high = Estimator(Models.load()).bounds(each.request, "local", "llama")
        texts = [text for message in each.request.messages for _, text in message.texts()]
        dearest = max(
            sum(len(vocabulary(name).encode_ordinary(text)) for text in texts)
            for name in (*STAND_INS, "cl100k_base")
        )
        assert (low, high) == (0, upper_bound(each.request))
        assert dearest <= high


def ask(text):
    return CompletionRequest.checked(messages=[{"role": "user", "content": text}])


@pytest.mark.parametrize("model", [("openai", "gpt-6-luna"), ("anthropic", "claude-haiku-5-5")])
def test_cheap_answers_lower_nobodys_hold(model):
    """However many: English at the least ratio says nothing of digits, nor of other English."""
    estimator = Estimator(Models.load())
    probes = [ask("word " * 1000), ask("0123456789" * 100), ask("कतार में कार्य " * 100)]
    before = [estimator.bounds(each, *model) for each in probes]
    for _ in range(2 * REMEMBERED):
        estimator.learn(ask("the " * 100), *model, 110)
    assert [estimator.bounds(each, *model) for each in probes] == before


def test_what_widened_the_factors_is_forgotten():
    """After so many other answers."""
    estimator, probe = Estimator(Models.load()), ask("word " * 1000)
    before = estimator.bounds(probe, "openai", "gpt-6-luna")
    estimator.learn(probe, "openai", "gpt-6-luna", 2009)
    assert estimator.bounds(probe, "openai", "gpt-6-luna").high > before.high
    for _ in range(REMEMBERED):
        estimator.learn(probe, "openai", "gpt-6-luna", 1010)
    assert estimator.bounds(probe, "openai", "gpt-6-luna") == before


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
