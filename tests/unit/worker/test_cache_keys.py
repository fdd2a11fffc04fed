"""Which requests share a cached answer, and which answers are kept."""

import pytest
from support.running_jobs import running_job

from producer.contract.completions import Completion, Usage
from producer.contract.requests import CompletionRequest
from worker.cache import Cache
from worker.ledger.attempt import CachePlace
from worker.model_catalog import Models
from worker.settings import CacheSettings, CallSettings, Link


def cache(model="gpt-4o", base_url=None, extra=None):
    links = (Link(provider="openai", model=model, adapter="openai", base_url=base_url),)
    call = CallSettings(max_tokens=50)
    models = Models.load()
    if extra:
        vendor = models.vendors["openai"].model_copy(update={"aliases": extra})
        models = Models(vendors=models.vendors | {"openai": vendor})
    return Cache(CacheSettings(), call, links, "fast", models)


def request(content="q", **fields):
    return CompletionRequest.checked(
        messages=[{"role": "user", "content": content}], temperature=0, **fields
    )


def test_requests_that_mean_the_same_share_a_key():
    plain = cache()._content(request())
    for same in (
        request([{"type": "text", "text": "q"}]),
        request(max_tokens=50),
        request(response_format={"type": "text"}),
    ):
        assert cache()._content(same) == plain
    assert cache()._content(request(max_tokens=51)) != plain


def test_a_key_holds_what_link_and_alias_stand_for():
    plain = cache()._content(request())
    assert cache(base_url="http://127.0.0.1:8000/v1")._content(request()) != plain
    aliased = request(model="fast")
    assert cache(extra={"fast": "a"})._content(aliased) != cache(extra={"fast": "b"})._content(
        aliased
    )


@pytest.mark.parametrize(
    ("flags", "kept"),
    [
        ((), True),
        (("usage: not stated, so it was counted here",), True),
        (("finish: missing",), False),
        (("schema: is no JSON",), False),
        (("usage: odd", "max_tokens: 100 tokens came, 50 were asked for"), False),
    ],
)
def test_an_answer_that_was_found_wanting_is_not_kept(flags, kept):
    completion = Completion(
        text="a",
        finish_reason="stop",
        model="m",
        provider="p",
        usage=Usage(),
        cost_usd=0,
        attempts=1,
        latency_ms=0,
        request_id="j",
        flags=flags,
    )
    entry = cache().entry_for(running_job("j", request()), CachePlace("key"), completion)
    assert (entry is not None) == kept
