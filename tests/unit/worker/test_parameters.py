"""Which links are asked for a request with parameters, at which worst case, what is then sent."""

from pathlib import Path

import pytest
from support.running_jobs import running_job

from producer.contract.errors import InvalidRequest
from producer.contract.requests import CompletionRequest
from worker.budgets.pricing import Pricing
from worker.faults import Fault, ProviderError
from worker.model_catalog import Models
from worker.providers import Call, Provider
from worker.providers.billing import impossible
from worker.providers.caller import _weigh_refused_parameter
from worker.providers.dialects import DIALECTS
from worker.providers.fates import APIS, FATES, MOST_CANDIDATES, MOST_STOPS
from worker.providers.parameter_rules import Target
from worker.providers.parameters import unfit
from worker.providers.selection import LinkSelector
from worker.providers.thinking import LEVELS, STYLES, style_of
from worker.providers.tokens import Estimator
from worker.settings import CallSettings, Link, QuotaSettings
from worker.settings.prices import rates

ASK = [{"role": "user", "content": "x"}]
MODELS = Models.load()
CHAIN = ("openai:gpt-4.1", "anthropic:claude-haiku-4-5", "gemini:gemini-2.5-flash")
ROOT = Path(__file__).parents[3]


def link(name, dialect=None):
    provider, model = name.split(":")
    adapter = provider if provider in FATES["stop"] or ":" in provider else "openai"
    return Link(provider=provider, model=model, adapter=adapter, dialect=dialect)


def selector(*links, overrides=None):
    links = links or tuple(map(link, CHAIN))
    pricing = Pricing(overrides or {}, rates("50/200"), links)
    return LinkSelector(
        links, CallSettings(), MODELS, "chain", pricing, Estimator(MODELS), QuotaSettings()
    )


def asked(**fields):
    return CompletionRequest.checked(messages=ASK, **fields)


def allowed(request, *links):
    return [each.provider for each in selector(*links).allowed(request)]


@pytest.mark.parametrize(
    ("fields", "providers"),
    [
        ({"seed": 7}, ["openai", "gemini"]),
        ({"top_k": 7}, ["anthropic", "gemini"]),
        ({"logit_bias": {"5": 1}}, ["openai"]),
        ({"reasoning_effort": "none"}, ["openai", "anthropic", "gemini"]),
        ({"reasoning_effort": "low"}, ["anthropic", "gemini"]),
        ({"n": 2}, ["openai", "gemini"]),
        ({"stop": list("abcde")}, ["anthropic", "gemini"]),
        ({"logit_bias": {"5": 1}, "drop_unsupported": True}, ["openai", "anthropic", "gemini"]),
    ],
)
def test_a_link_that_cannot_be_told_is_passed_over(fields, providers):
    assert allowed(asked(**fields)) == providers


def test_if_none_can_be_told_the_link_and_the_parameter_are_named():
    with pytest.raises(InvalidRequest, match=r"anthropic:claude-haiku-4-5 cannot take seed, nor"):
        selector(link("anthropic:claude-haiku-4-5")).allowed(asked(seed=7))


def test_what_may_be_dropped_is_not_sent():
    """The rest is."""
    claude = link("anthropic:claude-haiku-4-5")
    request = asked(seed=7, top_k=5, logprobs=True, top_logprobs=2, drop_unsupported=True)
    sent = selector(claude).fitting(claude, request, 100)
    assert (sent.seed, sent.top_k, sent.logprobs, sent.top_logprobs) == (None, 5, None, None)


@pytest.mark.parametrize(
    ("dialect", "lacks", "takes"),
    [
        ("openai", {"top_k": 5}, {"seed": 1, "store": False}),
        ("mistral", {"logit_bias": {"5": 1}}, {"seed": 1, "n": 2}),
        ("groq", {"n": 2}, {"service_tier": "flex"}),
        ("ollama", {"n": 2}, {"seed": 1}),
        ("vllm", {"service_tier": "flex"}, {"top_k": 5, "store": False, "reasoning_effort": "low"}),
        ("compatible", {}, {"top_k": 5, "verbosity": "low", "service_tier": "flex"}),
    ],
)
def test_servers_of_openai_s_api_differ(dialect, lacks, takes):
    there = link("corp:gpt-4.1", dialect=dialect)
    target = Target(there, MODELS.of("openai", "m"), 100)
    assert {each.name for each in unfit(asked(**lacks), target)} == lacks.keys()
    assert unfit(asked(**takes), target) == []


class Own(Provider):
    parameters = frozenset({"seed"})

    @classmethod
    def unsupported(cls, request):
        return ""


def test_an_adapter_of_one_s_own_says_what_it_takes():
    own = Link(provider="own", model="m", adapter=f"{__name__}:Own")
    target = Target(own, MODELS.of("own", "m"), 100)
    assert [each.name for each in unfit(asked(seed=1, top_p=0.5), target)] == ["top_p"]


def test_options_are_for_one_provider():
    """Of another one they say nothing; a misspelt one would vanish."""
    options = {"provider_options": {"gemini-legacy": {"x": 1}, "anthropic": {}}}
    links = [link("gemini-legacy:gemini-2.5-flash"), link("openai:gpt-4.1")]
    assert allowed(asked(**options), *links) == ["openai"]
    with pytest.raises(InvalidRequest, match="antropic: no provider here"):
        allowed(asked(provider_options={"antropic": {}}))


def worst(request, name="openai:gpt-4.1", **overrides):
    there = link(name)
    rows = {name: rates("1/10"), f"{name}@priority": rates("2/20"), f"{name}@flex": rates("1/5")}
    select = selector(there, overrides=rows)
    (candidate,) = select.candidates(running_job(request=request))
    return candidate


def test_several_choices_are_reserved_as_often():
    one, three = worst(asked(max_tokens=1000)), worst(asked(max_tokens=1000, n=3))
    assert three.tokens - three.prompt_tokens == 3 * (one.tokens - one.prompt_tokens)
    assert three.micro_usd - one.micro_usd == 20_000
    assert (three.max_tokens, three.prompt_tokens) == (one.max_tokens, one.prompt_tokens)


def test_a_dearer_tier_is_reserved_at_its_price():
    """A cheaper one may be served as the standard one."""
    plain = worst(asked(max_tokens=1000)).micro_usd
    for tier, factor in (("priority", 2), ("fast", 2), ("flex", 1), ("default", 1), ("auto", 1)):
        assert worst(asked(max_tokens=1000, service_tier=tier)).micro_usd == factor * plain, tier


def test_a_prediction_is_reserved_as_an_answer():
    """What of it is not in the answer is billed all the same."""
    prediction = {"type": "content", "content": "0123456789" * 100}
    more = worst(asked(max_tokens=1000, prediction=prediction))
    assert more.micro_usd - worst(asked(max_tokens=1000)).micro_usd == 10_000


@pytest.mark.parametrize(
    ("name", "micro_usd"),
    [
        ("openai:gpt-4o-search-preview", 25_000),
        ("anthropic:claude-haiku-4-5", 50_000),
        ("gemini:gemini-2.5-flash", 35_000),
        ("gemini:gemini-3.8-flash", 70_000),
    ],
)
def test_searches_are_reserved_as_many_as_there_may_be(name, micro_usd):
    plain, searching = worst(asked(), name), worst(asked(web_search_options={}), name)
    assert searching.micro_usd - plain.micro_usd == micro_usd


def test_what_several_choices_cost_is_possible():
    call = Call("j", "m", asked(n=100), 10_000, None, 1.0)
    usage = type("Usage", (), {"input": 10, "output": 9_000_000})
    assert impossible(call, usage) == ""


def test_beside_top_p_no_temperature_is_sent_that_nobody_asked_for():
    gpt = link("openai:gpt-4.1")
    select = selector(gpt)
    assert select.temperature(gpt, asked()) == CallSettings().temperature
    assert select.temperature(gpt, asked(top_p=0.5)) is None
    assert select.temperature(gpt, asked(top_p=0.5, temperature=0.2)) == 0.2


@pytest.mark.parametrize(
    ("fields", "said", "becomes"),
    [
        ({}, Fault.STALE, Fault.STALE),
        ({"parallel_tool_calls": False}, Fault.STALE, Fault.UNSUPPORTED),
        ({"parallel_tool_calls": False, "drop_unsupported": True}, Fault.STALE, Fault.STALE),
    ],
)
def test_what_a_request_asks_for_is_left_out_only_if_it_allows_that(fields, said, becomes):
    call = Call("j", "m", asked(**fields), 10, None, 1.0)
    error = ProviderError(said, "", parameter="parallel_tool_calls")
    _weigh_refused_parameter(call, error)
    assert error.fault is becomes


def test_levels_are_those_of_the_models():
    """Each becomes a level that the model has, and less never becomes more than more does."""
    for api, styles in STYLES.items():
        for beginning, style in styles.items():
            found = [style.level(effort) for effort in LEVELS]
            if style.kind:
                assert set(found) <= set(style.levels), (api, beginning)
                assert found == sorted(found, key=LEVELS.index)
            assert style_of(api, f"{beginning}-x").kind in ("effort", "budget", "level", "")


def fate_in_words(fate):
    words = {"sent": "sent", "mapped": "becomes", "clamped": "brought into range"}
    text = words.get(fate.how, fate.how)
    if fate.name:
        text += f" as `{fate.name}`" if fate.how != "mapped" else f" `{fate.name}`"
    return f"{text}: {fate.note}" if fate.note else text


def table_of_fates():
    named = " | ".join(f"`{api}`" for api in APIS)
    lines = [f"| parameter | {named} |", "|---" * (len(APIS) + 1) + "|"]
    for name, fates in FATES.items():
        lines.append(f"| `{name}` | {' | '.join(fate_in_words(fates[api]) for api in APIS)} |")
    return "\n".join(lines)


def table_of_dialects():
    lines = ["| dialect | lacks |", "|---|---|"]
    for name, dialect in DIALECTS.items():
        lacks = ", ".join(f"`{each}`" for each in sorted(dialect.lacks)) or "nothing"
        lines.append(f"| `{name}` | {lacks} |")
    return "\n".join(lines)


def test_the_documentation_shows_these_tables():
    """To write them anew: `python -c` of `table_of_fates` and `table_of_dialects`."""
    text = (ROOT / "docs/requests.md").read_text()
    assert table_of_fates() in text
    assert table_of_dialects() in text
    stops = ", ".join(f"`{name}` {most}" for name, most in MOST_STOPS.items())
    assert f"Stop sequences: {stops}" in text
    assert f"`n`: at most {MOST_CANDIDATES} at Gemini" in text
