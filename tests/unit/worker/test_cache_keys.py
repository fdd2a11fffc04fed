"""Which requests share a cached answer, and which answers are kept."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.running_jobs import running_job

from producer.contract.completions import Completion, Usage
from producer.contract.requests import CompletionRequest
from worker.cache import Cache
from worker.ledger.attempt import CachePlace
from worker.model_catalog import Models
from worker.settings import CacheSettings, CallSettings, FilterSettings, Link


def cache(model="gpt-4o", base_url=None, extra=None, scope="fleet", temperature=0.7, filters=""):
    links = (Link(provider="openai", model=model, adapter="openai", base_url=base_url),)
    call = CallSettings(max_tokens=50, temperature=temperature)
    models = Models.load()
    if extra:
        vendor = models.vendors["openai"].model_copy(update={"aliases": extra})
        models = Models(vendors=models.vendors | {"openai": vendor})
    looked_for = FilterSettings(output=filters).looked_for
    return Cache(CacheSettings(scope=scope), call, links, "fast", models, filters=looked_for)


def request(content="q", **fields):
    return CompletionRequest.checked(
        messages=[{"role": "user", "content": content}], temperature=0, **fields
    )


def key(asked, of=None, user="u1", group=""):
    job = replace(running_job("j", asked), user_id=user, group=group)
    return (of or cache()).question(job).content


def answer(flags=()):
    return Completion(
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


def test_requests_that_mean_the_same_share_a_key():
    plain = key(request())
    for same in (
        request([{"type": "text", "text": "q"}]),
        request(max_tokens=50),
        request(response_format={"type": "text"}),
    ):
        assert key(same) == plain
    assert key(request(max_tokens=51)) != plain


def test_a_key_holds_what_link_and_alias_stand_for():
    plain = key(request())
    assert key(request(), cache(base_url="http://127.0.0.1:8000/v1")) != plain
    aliased = request(model="fast")
    keys = {key(aliased, cache(extra={"fast": model})) for model in "ab"}
    assert len(keys) == 2


def test_an_answer_that_passed_fewer_filters_is_not_given_out():
    """What a filter does with what it finds makes no difference: what it finds is not cached."""
    plain = key(request())
    for looser in ("secrets=off", "schema=off,pattern=off"):
        assert key(request(), cache(filters=looser)) != plain
    assert key(request(), cache(filters="company.rules:no_names=fail")) != plain
    assert key(request(), cache(filters="secrets=retry,schema=fail")) == plain


texts = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)
plain_requests = st.fixed_dictionaries(
    {
        "messages": st.lists(
            st.fixed_dictionaries({"role": st.just("user"), "content": texts}),
            min_size=1,
            max_size=3,
        ),
        "stop": st.lists(texts, max_size=2),
        "max_tokens": st.sampled_from([49, 50, 51]),
        "model": st.sampled_from([None, "fast", "openai:gpt-4o"]),
        "avoid": st.lists(st.sampled_from(["a", "b"]), max_size=1),
    }
)
respelt = st.fixed_dictionaries(
    {
        "parts": st.booleans(),
        "leave_out": st.sets(st.sampled_from(["temperature", "max_tokens", "stop", "model"])),
        "text_format": st.booleans(),
        "tags": st.lists(st.sampled_from(["faq", "blog"]), max_size=2),
    }
)


def spelt(fields, how):
    """The same request in other words: what is left out is at its default anyway."""
    fields = fields | {"temperature": 0, "cache": "use", "tags": how["tags"]}
    defaults = {"temperature": 0, "max_tokens": 50, "stop": [], "model": None}
    for name in how["leave_out"]:
        if fields[name] == defaults[name]:
            del fields[name]
    if how["parts"]:
        fields["messages"] = [
            message | {"content": [{"type": "text", "text": message["content"]}]}
            for message in fields["messages"]
        ]
    if how["text_format"]:
        fields["response_format"] = {"type": "text"}
    return CompletionRequest.checked(**fields)


@settings(max_examples=300)
@given(one=plain_requests, other=plain_requests, how=respelt, differently=respelt)
def test_keys_are_equal_if_and_only_if_the_requests_mean_the_same(one, other, how, differently):
    """Whatever their spelling."""
    found = cache(temperature=0.0)
    assert key(spelt(one, how), found) == key(spelt(one, differently), found) != ""
    alike = key(spelt(one, how), found) == key(spelt(other, differently), found)
    assert alike == (one == other)


def test_an_answer_of_a_fallback_lives_shortly_and_is_as_stale_as_any():
    """It does not stand for the first link once that is well."""
    lives = {}
    for fallback in (False, True):
        entry = cache().entry_for(
            running_job("j", request()), CachePlace("key"), answer(), fallback
        )
        fresh_until, made, *_ = entry.text.split(";")
        lives[fallback] = ((int(fresh_until) - int(made)) // 1000, entry.life_ms // 1000)
    week = 7 * 86_400
    assert lives == {False: (86_400, 86_400 + week), True: (10, 10 + week)}


@pytest.mark.parametrize(
    ("fleet", "asked", "same_group", "strangers"),
    [
        ("fleet", None, True, True),
        ("fleet", "fleet", True, True),
        ("fleet", "group", True, False),
        ("fleet", "user", False, False),
        ("group", None, True, False),
        ("group", "fleet", True, False),
        ("group", "user", False, False),
        ("user", "fleet", False, False),
        ("user", "group", False, False),
    ],
)
def test_an_answer_is_shared_as_widely_as_fleet_and_request_allow(
    fleet, asked, same_group, strangers
):
    """A group's name is no user's, and two users without a group are strangers."""
    found = partial(key, request(cache_scope=asked), cache(scope=fleet))
    own = found("u1", "g")
    assert found("u1", "g") == own
    assert (found("u2", "g") == own) == same_group
    assert (found("u2", "other") == own) == strangers
    assert (found("u1") == found("u2")) == strangers
    assert (found("g") == own) == strangers


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
    entry = cache().entry_for(running_job("j", request()), CachePlace("key"), answer(flags))
    assert (entry is not None) == kept
