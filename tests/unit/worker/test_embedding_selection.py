"""Which links make embeddings: by their API, their model's limits and the request."""

import pytest
from support.running_jobs import running_job

from producer.contract.embeddings import MOST_BYTES, request_fields
from producer.contract.errors import InvalidRequest, TooLong
from producer.contract.history import PastAttempt
from producer.contract.requests import CompletionRequest
from worker.budgets.pricing import Pricing
from worker.model_catalog import Models
from worker.providers.embedding_selection import EmbeddingSelector
from worker.providers.tokens import Estimator
from worker.settings import Link
from worker.settings.prices import rates

MODELS = Models.load()
SMALL, LARGE = "text-embedding-3-small", "text-embedding-3-large"


def link(name, adapter=""):
    provider, _, model = name.partition(":")
    return Link(provider=provider, model=model, adapter=adapter or provider)


def selector(*links):
    pricing = Pricing({}, rates("50/200"), links)
    return EmbeddingSelector(links, MODELS, pricing, Estimator(MODELS))


def request(texts=("x",), dimensions=None, **options):
    return CompletionRequest.checked(**request_fields(list(texts), dimensions, **options))


BOTH = (
    link(f"openai:{SMALL}"),
    link(f"azure:{SMALL}", "openai"),
    link(f"openai:{LARGE}"),
    link("gemini:gemini-embedding-001"),
    link("anthropic:claude-haiku-4-5"),
)


def names(asked, links=BOTH):
    return [each.name for each in selector(*links).allowed(asked)]


def test_only_links_of_one_model_stand_in_for_each_other():
    """Vectors of two models cannot be compared."""
    assert names(request()) == [f"openai:{SMALL}", f"azure:{SMALL}"]
    assert names(request(model=SMALL)) == [f"openai:{SMALL}", f"azure:{SMALL}"]
    assert names(request(model=f"azure:{SMALL}")) == [f"azure:{SMALL}"]
    assert names(request(model="gemini-embedding-001")) == ["gemini:gemini-embedding-001"]
    assert names(request(avoid=["openai"])) == [f"azure:{SMALL}"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (request(model="anthropic:claude-haiku-4-5"), "claude-haiku-4-5 cannot make embeddings"),
        (request(model="openai:gpt-5"), "model: makes no embeddings here"),
        (request(model=LARGE, avoid=["openai"]), "avoid: leaves no link"),
        (request("x" * 101, model="gemini-embedding-001"), "101 texts in one job (at most 100)"),
        (request(model=f"openai:{SMALL}", dimensions=1_537), "1,537 dimensions (at most 1,536)"),
        (
            request("x" * 2_000, model=LARGE),
            f"24,576,000 bytes of vectors in one job (at most {MOST_BYTES:,}",
        ),
    ],
)
def test_what_no_link_can_do_is_told_before_a_call(asked, words):
    with pytest.raises(InvalidRequest) as caught:
        selector(*BOTH).allowed(asked)
    assert words in str(caught.value)


def test_fewer_dimensions_make_room_for_more_texts():
    assert names(request("x" * 2_000, 1_024, model=LARGE)) == [f"openai:{LARGE}"]


def test_without_a_link_there_are_none():
    with pytest.raises(InvalidRequest, match="LLM_EMBEDDING_CHAIN"):
        selector().allowed(request())


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["x", "word " * 8_300], "texts[1]: at least 8,3"),
        (["word " * 8_000] * 40, "texts: at least 320,"),
    ],
)
def test_texts_that_do_not_fit_are_told_before_a_call(texts, words):
    with pytest.raises(TooLong) as caught:
        selector(BOTH[0]).allowed(request(texts))
    assert words in str(caught.value)
    assert names(request(texts), (link("local:any", "openai"),)) == ["local:any"]


def test_the_worst_case_is_the_prompt_and_the_least_tried_link_is_first():
    found = selector(*BOTH).candidates(running_job(request=request(["word " * 1_000])))
    first = found[0]
    assert [each.link.provider for each in found] == ["openai", "azure"]
    assert (first.max_tokens, first.priced, found[1].priced) == (0, True, False)
    assert 1_000 <= first.tokens == first.prompt_tokens <= 1_300
    assert first.micro_usd == first.prompt_micro_usd == -(-first.tokens * 2 // 100)
    tried = (PastAttempt(f"openai:{SMALL}", "unavailable"),)
    again = selector(*BOTH).candidates(running_job(request=request(), tried=tried))
    assert [each.link.provider for each in again] == ["azure", "openai"]
