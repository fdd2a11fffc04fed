"""Every parameter is said to every API in its own words, or refused before the call."""

import re

import pytest
from contract.bodies import TEXTS, USAGES, body
from support.parameter_rows import FORCED, MODELS, OTHER, PLACE, REFUSED, SENT, SOME, TOOL
from support.parameter_table import ROWS

from producer.contract.parameters import Parameters
from producer.contract.requests import CompletionRequest
from worker.model_catalog import Models
from worker.providers import load
from worker.providers.fates import FATES
from worker.providers.parameter_rules import Target
from worker.providers.parameters import fitting, unfit
from worker.settings import Link

CATALOG = Models.load()
OLD = {"stop", "temperature", "max_tokens", "tools", "response_format"}
"""That are fields of `CompletionRequest` itself."""
ASK = [{"role": "user", "content": "x"}]


def request_of(row):
    return CompletionRequest.checked(messages=ASK, **row.beside, **row.asked)


def target_of(adapter, row):
    model = row.models.get(adapter, MODELS[adapter])
    link = Link(provider=adapter, model=model, adapter=adapter)
    return Target(link, CATALOG.of(adapter, model), row.beside.get("max_tokens", 3072))


def pieces(body):
    """Its parts; those of Gemini's config one by one. Its API takes both spellings of a name."""
    config = body.get("generationConfig", {})
    rest = {name: value for name, value in body.items() if name != "generationConfig"}
    return rest | {f"generationConfig.{name}": camel(value) for name, value in config.items()}


def camel(value):
    if not isinstance(value, dict):
        return value
    return {re.sub(r"_([a-z])", lambda found: found[1].upper(), k): v for k, v in value.items()}


def test_each_is_said_or_refused(wire, connect, adapter):
    """A golden of what it adds to the body; of what is refused, nothing is left after dropping."""
    if adapter not in MODELS:
        pytest.skip("its fates are those of another one, or refused")
    ask = connect(wire.base_url)
    for row in ROWS:
        expected = getattr(row, adapter)
        target = target_of(adapter, row)
        found = unfit(request_of(row), target)
        if isinstance(expected, str) and expected.startswith(REFUSED):
            assert expected.removeprefix("refused: ") in found[0].reason, row
            assert unfit(fitting(request_of(row), target), target) == [], row
            continue
        assert found == [], row
        wire.calls.clear()
        options = {"max_tokens": target.max_tokens, "temperature": None}
        for fields in (row.beside, row.beside | row.asked):
            given = {name: value for name, value in fields.items() if name not in options}
            ask(model=target.link.model, **options, **given)
        without, said = (pieces(call.request) for call in wire.calls)
        added = {name: value for name, value in said.items() if without.get(name) != value}
        assert added == pieces(row.asked if expected == SENT else expected), row
        assert without.keys() <= said.keys(), row


def test_the_responses_api_has_its_own_words(wire, connect, adapter):
    """What it shares with chat completions is said there as here."""
    if adapter != "openai-responses":
        pytest.skip("of one API")
    flat = {"type": "function", "name": "f"}
    asked = {
        "tools": [TOOL],
        "tool_choice": FORCED,
        "parallel_tool_calls": False,
        "reasoning_effort": "minimal",
        "verbosity": "low",
        "service_tier": "flex",
        "safety_identifier": "u",
        "prompt_cache_key": "k",
        "store": False,
        "web_search_options": {"user_location": PLACE},
    }
    connect(wire.base_url)(model="gpt-5.4-mini", temperature=None, **asked)
    sent = wire.calls[0].request
    place = {"type": "approximate", "country": "DE", "city": "Bonn"}
    assert sent["tools"][1] == {"type": "web_search", "user_location": place}
    assert (sent["tool_choice"], sent["reasoning"]) == (flat, {"effort": "low"})
    assert (sent["text"], sent["store"]) == ({"verbosity": "low"}, False)
    for name in ("parallel_tool_calls", "service_tier", "safety_identifier", "prompt_cache_key"):
        assert sent[name] == asked[name]


def test_some_of_the_tools_may_be_called(wire, connect, adapter):
    """At the vendor as it is, in the Responses API's own words; elsewhere by leaving out others."""
    if not adapter.startswith("openai"):
        pytest.skip("see the table")
    asked = {"tools": [TOOL, OTHER], "tool_choice": SOME, "temperature": None}
    connect(wire.base_url, {"dialect": "vllm"})(model="gpt-5.4-mini", **asked)
    sent = wire.calls[0].request
    if adapter == "openai":
        assert (sent["tools"], sent["tool_choice"]) == ([TOOL], "required")
        return
    flat = [{"type": "function", "name": "f"}]
    assert sent["tool_choice"] == {"type": "allowed_tools", "mode": "required", "tools": flat}
    assert [tool["name"] for tool in sent["tools"]] == ["f", "g"]


def test_every_parameter_is_in_the_table():
    """And has a fate at every API."""
    parameters = Parameters.model_fields.keys() - {"drop_unsupported"}
    assert parameters | OLD == FATES.keys()
    assert parameters - {"provider_options"} <= {name for row in ROWS for name in row.asked}
    assert {len(fates) for fates in FATES.values()} == {5}


def test_the_table_of_fates_says_what_happens():
    """What it calls refused is refused in every row, and what it calls sent in none of them all."""
    for row in ROWS:
        name = next(iter(row.asked))
        for adapter in MODELS:
            fate, expected = FATES[name][adapter], getattr(row, adapter)
            if fate.how == "refused":
                assert expected == {} or REFUSED in expected, (row, adapter)
    for name, fates in FATES.items():
        rows = [row for row in ROWS if name in row.asked]
        for adapter in MODELS:
            if rows and fates[adapter].how in ("sent", "mapped", "clamped"):
                assert any(REFUSED not in str(getattr(row, adapter)) for row in rows), name


OPTIONS = {
    "openai": {"moderation": {"model": "m"}, "tools": [{"type": "custom"}]},
    "openai-responses": {"truncation": "auto", "tools": [{"type": "image_generation"}]},
    "anthropic": {
        "container": "c",
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "low"},
        "tools": [{"type": "code_execution_20250825", "name": "code_execution"}],
    },
    "gemini": {
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
        "media_resolution": "MEDIA_RESOLUTION_LOW",
        "tools": [{"code_execution": {}}],
    },
}


def test_options_go_to_their_provider_as_they_are(wire, connect, adapter):
    """Beside what is sent anyway: tools to tools, fields to fields. Headers are the operator's."""
    if adapter not in OPTIONS:
        pytest.skip("it has none")
    ask = connect(wire.base_url)
    schema = {"name": "n", "schema": {"type": "object"}}
    asked = {"tools": [TOOL], "response_format": {"type": "json_schema", "json_schema": schema}}
    ask(**asked)
    ask(**asked, options=OPTIONS[adapter], headers={"X-Team": "blue"})
    without, said = (call.request for call in wire.calls)
    headers = [{name.lower(): text for name, text in c.headers.items()} for c in wire.calls]
    assert [each.get("x-team") for each in headers] == [None, "blue"]
    added = [tool for tool in said["tools"] if tool not in without["tools"]]
    assert len(said["tools"]) == 2
    if adapter == "gemini":
        assert added == [{"codeExecution": {}}]
        assert said["safetySettings"][0]["threshold"] == "OFF"
        config = without["generationConfig"] | {"mediaResolution": "MEDIA_RESOLUTION_LOW"}
        assert said["generationConfig"] == config
        return
    given = dict(OPTIONS[adapter])
    assert added == given.pop("tools")
    if adapter == "anthropic":
        assert "temperature" not in said
        given["output_config"] |= without["output_config"]
    assert given.items() <= said.items()


@pytest.mark.parametrize("wrong", [{"no_such": 1}, {"safety_settings": 7}])
def test_options_that_google_s_sdk_does_not_know_are_told_before_the_call(wrong):
    request = CompletionRequest.checked(messages=ASK, provider_options={"gemini": wrong})
    assert f"provider_options.gemini.{next(iter(wrong))}" in load("gemini").unsupported(request)


@pytest.mark.parametrize("searches", [0, 2])
def test_searches_are_counted(answered, adapter, searches):
    """Where the API says how many there were; they are paid beside the tokens."""
    usage = dict(USAGES.get(adapter, {}))
    if adapter == "anthropic":
        usage["server_tool_use"] = {"web_search_requests": searches}
        text = body(adapter, TEXTS[adapter], usage, finish="end_turn")
    elif adapter == "gemini":
        text = body(adapter, TEXTS[adapter], usage, finish="STOP")
        queries = {"webSearchQueries": ["q"] * searches}
        text["candidates"][0]["groundingMetadata"] = queries
    else:
        pytest.skip("see test_openai_responses.py, or billed once")
    assert answered(text).usage.searches == searches
