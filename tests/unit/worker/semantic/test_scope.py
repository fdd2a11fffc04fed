"""No candidate crosses users, groups, system prompts, tools or versions: their keys differ."""

import functools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.running_jobs import running_job

from producer.contract.requests import CompletionRequest
from worker.cache import Cache
from worker.semantic.scope import scope_of
from worker.settings import CacheSettings, CallSettings, FilterSettings, Link

TOOL = {"type": "function", "function": {"name": "f"}}
FORMAT = {"type": "json_object"}


@functools.cache
def cache(scope="fleet", version="1", model="gpt-4o", filters=""):
    links = (Link(provider="openai", model=model, adapter="openai"),)
    looked_for = FilterSettings(output=filters).looked_for
    found = CacheSettings(scope=scope, version=version)
    return Cache(found, CallSettings(), links, "fast", filters=looked_for)


def scope(text="What is it?", of=None, user="u1", group="", embedding="openai:e", **fields):
    messages = [*fields.pop("before", ()), {"role": "user", "content": text}]
    asked = CompletionRequest.checked(messages=messages, **{"temperature": 0} | fields)
    job = replace(running_job("j", asked), user_id=user, group=group)
    return scope_of(of or cache(), job, embedding)


SYSTEM = {"role": "system", "content": "Be brief."}
EARLIER = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
SIDES = st.fixed_dictionaries(
    {
        "text": st.sampled_from(["What is it?", "What was it?", "?"]),
        "user": st.sampled_from(["a", "b", "a:b", "group"]),
        "group": st.sampled_from(["", "a", "g"]),
        "before": st.sampled_from([(), (SYSTEM,), ({**SYSTEM, "content": "Be brief.?"},), EARLIER]),
        "cache": st.just("use"),
        "cache_scope": st.sampled_from([None, "user", "group", "fleet"]),
        "cache_namespace": st.sampled_from(["default", "faq"]),
        "tools": st.sampled_from([(), (TOOL,)]),
        "response_format": st.sampled_from([None, FORMAT]),
        "max_tokens": st.sampled_from([None, 10]),
        "model": st.sampled_from([None, "openai:gpt-4o"]),
        "top_p": st.sampled_from([None, 0.5]),
        "embedding": st.sampled_from(["openai:e", "local:e"]),
    }
)
FLEETS = st.fixed_dictionaries(
    {
        "scope": st.sampled_from(["fleet", "group", "user"]),
        "version": st.sampled_from(["1", "2"]),
        "model": st.sampled_from(["gpt-4o", "gpt-4o-mini"]),
        "filters": st.sampled_from(["", "schema=off"]),
    }
)
WIDTH = ["user", "group", "fleet", None]


def sharers(side, fleet):
    """Who may see what such a job leaves."""
    width = min(fleet["scope"], side["cache_scope"] or "fleet", key=WIDTH.index)
    if width == "fleet":
        return "all"
    if width == "group" and side["group"]:
        return ("group", side["group"])
    return ("user", side["user"])


NAMES = ("text", "user", "group", "before", "cache_scope", "cache_namespace", "tools")
MORE = ("response_format", "max_tokens", "model", "top_p", "embedding")


@settings(max_examples=400)
@given(
    SIDES,
    SIDES,
    FLEETS,
    FLEETS,
    st.sets(st.sampled_from([*NAMES, *MORE]), max_size=3),
    st.sets(st.sampled_from(["scope", "version", "model", "filters"]), max_size=1),
)
def test_one_scope_is_of_those_who_share_all_but_the_question(
    one, other, fleet, other_fleet, changed, changed_there
):
    """Two jobs that differ anywhere are strangers; the same but for what may differ are not."""
    two = one | {name: other[name] for name in changed}
    there = fleet | {name: other_fleet[name] for name in changed_there}
    first, second = scope(of=cache(**fleet), **one), scope(of=cache(**there), **two)
    free = {"text", "user", "group", "cache_scope"}
    alike = all(one[name] == two[name] for name in one.keys() - free)
    fleets = all(fleet[name] == there[name] for name in ("version", "model", "filters"))
    same = alike and fleets and sharers(one, fleet) == sharers(two, there)
    assert (first.key == second.key) == same
    assert (first.entry == second.entry) == (same and one["text"] == two["text"])


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0.5},
        {"cache": "bypass"},
        {"cache": "refresh"},
        {"semantic": False},
        {"text": "word " * 2_000},
        {"before": EARLIER},
        {
            "before": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}
                    ],
                }
            ],
            "cache": "use",
        },
    ],
    ids=str,
)
def test_what_takes_no_part(fields):
    assert scope(**fields) is None
    assert scope() is not None


def test_a_question_in_parts_is_its_text_and_no_name_shows_a_user():
    found = scope([{"type": "text", "text": "What is it?"}], user="ann")
    assert found.question == "What is it?"
    assert "ann" not in found.name + found.key
