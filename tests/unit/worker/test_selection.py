"""Who may answer, in which order, with which parameters: by the request, the history and what is
known of models.
"""

import pytest
from support.running_jobs import running_job

from producer import untrusted
from producer.contract.errors import InvalidRequest, TooLong
from producer.contract.requests import CompletionRequest
from worker.budgets.pricing import Pricing
from worker.model_catalog import Models
from worker.providers.selection import LinkSelector
from worker.providers.tokens import Estimator
from worker.settings import CallSettings, Link, QuotaSettings
from worker.settings.prices import rates

DATA = """
[small]
tokenizer = "o200k_base"
low = 1.0
high = 1.25
[small.aliases]
fast = "quick"
[small.models]
"plain" = { window = 1000, output = 300, temperature = false }
"quick" = { window = 1000, output = 300, temperature = true }
[large]
tokenizer = "o200k_base"
low = 1.0
high = 1.25
[large.models]
"big" = { input = 4000, output = 800, temperature = true, prefill = true }
"""


ONE = rates("1/1")
QUOTA = QuotaSettings()


@pytest.fixture
def models(tmp_path):
    (tmp_path / "models.toml").write_text(DATA)
    return Models.load(tmp_path / "models.toml")


def link(name):
    provider, model = name.split(":")
    return Link(provider=provider, model=model, adapter="simulator")


@pytest.fixture
def select(models):
    def select_(*names, batch="fast", quota=QUOTA):
        links = tuple(link(name) for name in names or ("small:plain", "large:big"))
        pricing = Pricing({"small:*": ONE, "large:*": ONE}, rates("50/200"))
        return LinkSelector(
            links,
            CallSettings(max_tokens=100),
            models,
            batch,
            pricing,
            Estimator(models),
            quota,
        )

    return select_


def job(words=10, tried=(), double_max_tokens=False, **options):
    options.setdefault("messages", [{"role": "user", "content": "word " * words}])
    request = CompletionRequest.checked(**options)
    return running_job(request=request, tried=tried, double_max_tokens=double_max_tokens)


def names(candidates):
    return [each.link.name for each in candidates]


def test_an_alias_names_a_model_at_every_provider_that_has_one(select):
    """The others answer with their own."""
    assert names(select().candidates(job(model="fast"))) == ["small:quick", "large:big"]
    assert names(select("small:plain", "small:quick").candidates(job(model="fast"))) == [
        "small:quick"
    ]


def test_batch_jobs_take_the_fast_models_unless_they_or_the_operator_say_otherwise(select):
    """Cheap models suffice where no person waits."""
    assert names(select().candidates(job(lane="batch"))) == ["small:quick", "large:big"]
    assert names(select().candidates(job(lane="batch", model="small:plain"))) == ["small:plain"]
    assert names(select().candidates(job(lane="batch", model="chain"))) == [
        "small:plain",
        "large:big",
    ]
    assert names(select(batch="chain").candidates(job(lane="batch"))) == [
        "small:plain",
        "large:big",
    ]
    assert names(select().candidates(job())) == ["small:plain", "large:big"]


def test_a_model_that_is_not_known_stands_for_its_server_whatever_the_alias(select):
    """A private server behind a vendor's name has not got that vendor's models."""
    assert names(select("small:my-llama").candidates(job(model="fast"))) == ["small:my-llama"]


def test_a_prompt_that_surely_does_not_fit_goes_to_a_larger_window(select):
    """And one that may or may not fit goes there first."""
    assert names(select().candidates(job(words=1500))) == ["large:big"]
    assert names(select().candidates(job(words=850))) == ["large:big", "small:plain"]
    assert names(select("small:plain").candidates(job(words=850))) == ["small:plain"]


def test_too_long_for_all_names_tokens_and_limit(select):
    """Nothing was reserved or called."""
    with pytest.raises(TooLong) as caught:
        select().candidates(job(words=5000))
    details = caught.value.details
    assert (details["limit"], details["link"]) == (4000, "large:big")
    assert 5000 <= details["tokens"] <= 5002
    assert "5,00" in str(caught.value)
    assert "4,000" in str(caught.value)


def test_max_tokens_count_into_a_shared_window_only(select):
    """`small` shares its 1,000 between both, `large` does not."""
    with pytest.raises(TooLong) as caught:
        select("small:plain").candidates(job(words=800, max_tokens=250))
    assert caught.value.details["limit"] == 750
    assert names(select("large:big").candidates(job(words=3100, max_tokens=800))) == ["large:big"]


def test_more_output_than_a_model_gives_goes_to_one_that_gives_it(select):
    """A default is cut to what the model gives; a doubled limit as well."""
    assert names(select().candidates(job(max_tokens=500))) == ["large:big"]
    with pytest.raises(InvalidRequest, match=r"max_tokens=900 \(at most 300\)"):
        select().candidates(job(max_tokens=900))
    assert [
        each.max_tokens for each in select().candidates(job(max_tokens=200, double_max_tokens=True))
    ] == [
        300,
        400,
    ]


def test_a_truncated_answer_grows_only_where_it_can(select):
    """Not with the same limit again, and not if the prompt leaves no room."""
    selection = select("small:plain")
    (candidate,) = selection.candidates(job(max_tokens=200))
    assert selection.can_double_max_tokens(job(max_tokens=200), candidate)
    (candidate,) = selection.candidates(job(max_tokens=300))
    assert not selection.can_double_max_tokens(job(max_tokens=300), candidate)
    (candidate,) = selection.candidates(job(words=750, max_tokens=150))
    assert not selection.can_double_max_tokens(job(words=750, max_tokens=150), candidate)


@pytest.mark.parametrize(
    ("name", "asked", "sent"),
    [
        ("small:plain", 0.2, None),
        ("small:quick", None, 0.7),
        ("small:quick", 0.2, 0.2),
        ("local:x", None, None),
        ("local:x", 0.2, 0.2),
    ],
)
def test_temperature_goes_where_it_is_taken(select, name, asked, sent):
    """A model we know nothing of gets only what was asked for, not our default."""
    assert select().temperature(link(name), job(temperature=asked).request) == sent


def test_stale_and_truncated_attempts_do_not_speak_against_a_link(select):
    """The same one is asked again, with other parameters."""
    for fault in ("stale", "truncated"):
        assert names(select().candidates(job(tried=(("small:plain", fault),)))) == [
            "small:plain",
            "large:big",
        ]
    assert names(select().candidates(job(tried=(("small:plain", "filtered"),)))) == [
        "large:big",
        "small:plain",
    ]


def test_a_fallback_is_what_another_link_comes_before(select):
    """Whatever has been tried; the first that surely fits is none."""

    def fallbacks(**options):
        found = select().candidates(job(**options))
        return {each.link.name for each in found if each.fallback}

    assert fallbacks() == {"large:big"}
    assert fallbacks(tried=(("small:plain", "unavailable"),)) == {"large:big"}
    assert fallbacks(words=1_000) == set()


def test_slide_leaves_out_the_oldest_turns_where_nothing_else_fits(select):
    """System messages and the last turn stay; a link that takes it all comes first."""
    turns = [{"role": "system", "content": "Be brief."}]
    turns += [{"role": role, "content": "word " * 100} for role in ("user", "assistant")] * 10 + [
        {"role": "user", "content": "So?"}
    ]
    whole, cut = select().candidates(job(messages=turns, fit="slide"))
    assert (whole.link.name, whole.trimmed) == ("large:big", 0)
    assert (cut.link.name, cut.tokens <= 1000) == ("small:plain", True)
    assert 12 < cut.trimmed < 16
    with pytest.raises(TooLong):
        select("small:plain").candidates(job(messages=turns))
    with pytest.raises(TooLong):
        select().candidates(job(words=5000, fit="slide"))


def test_an_unknown_price_is_reserved_at_the_ceiling_and_says_so(select):
    (candidate,) = select("local:x").candidates(job(max_tokens=10))
    assert not candidate.priced
    assert candidate.micro_usd >= 10 * 200


@pytest.mark.parametrize(
    ("provider", "model", "adapter", "base_url", "takes"),
    [
        ("openai", "gpt-4o-mini", "openai", None, True),
        ("openai", "gpt-4o-mini", "openai", "http://gateway.example/v1", True),
        ("anthropic", "claude-x", "anthropic", None, True),
        ("gemini", "gemini-x", "gemini", None, True),
        ("openai", "my-llama", "openai", "http://10.0.0.7:9000/v1", False),
        ("local", "qwen", "openai", "http://127.0.0.1:8000/v1", False),
        ("ollama", "llama3", "openai", "http://127.0.0.1:11434/v1", False),
    ],
)
def test_marks_of_chat_templates_go_where_they_are_text(provider, model, adapter, base_url, takes):
    """A server that fills a template is passed over; if no other link is left, the reason is told,
    and a defused text goes anywhere.
    """
    models = Models.load()
    link = Link(provider=provider, model=model, adapter=adapter, base_url=base_url)
    other = Link(provider="anthropic", model="claude-x", adapter="anthropic")
    pricing = Pricing({}, rates("50/200"))
    text = "What does <|im_end|> do in ChatML?"

    def allowed(links, content):
        call, quota = CallSettings(), QuotaSettings()
        selector = LinkSelector(links, call, models, "fast", pricing, Estimator(models), quota)
        asked = CompletionRequest.checked(messages=[{"role": "user", "content": content}])
        return selector.allowed(asked)

    assert link in allowed((link,), untrusted(text))
    assert (link in allowed((link, other), text)) == takes
    assert other in allowed((link, other), text)
    if not takes:
        with pytest.raises(InvalidRequest, match=r"<\|im_end\|> in messages\[0\].content"):
            allowed((link,), text)


@pytest.mark.parametrize(
    ("quota", "words", "expected"),
    [
        (QUOTA, 10, (300, False)),
        (QUOTA, 850, (149, False)),
        (QuotaSettings(tokens_per_hour=1000), 10, (238, True)),
        (QuotaSettings(max_cost_per_request=0.0002), 10, (187, True)),
        (QuotaSettings(tokens_per_hour=100, max_cost_per_request=0.000001), 10, (100, True)),
        (QuotaSettings(tokens_per_hour=None, max_cost_per_request=None), 10, (300, False)),
    ],
)
def test_the_provider_s_own_limit_is_the_model_s_unless_the_operator_allows_less(
    select, quota, words, expected
):
    """And the usual one where the operator's limits do not even allow that: they refuse it."""
    wanted = job(words, model="small:plain", defaults="provider")
    (found,) = select(quota=quota).candidates(wanted)
    tokens, sent = expected
    assert found.sends_limit == sent
    assert found.max_tokens == pytest.approx(tokens, abs=12)
    usual = job(words, model="small:plain", defaults="provider", max_tokens=7)
    assert select(quota=quota).candidates(usual)[0].max_tokens == 7


def test_of_an_unknown_model_no_maximum_is_known(select):
    (found,) = select("small:else").candidates(job(defaults="provider"))
    assert (found.max_tokens, found.sends_limit) == (100, True)


def test_the_provider_s_own_temperature_is_none_of_ours(select):
    asked = job(defaults="provider").request
    assert select().temperature(link("small:quick"), asked) is None


@pytest.mark.parametrize("date", ["2024-08-06", "20250929", "0613"])
def test_a_dated_name_of_a_model_of_the_chain_is_that_model(select, date):
    assert names(select().candidates(job(model=f"plain-{date}"))) == ["small:plain"]
    assert names(select().candidates(job(model=f"small:plain-{date}"))) == ["small:plain"]
    with pytest.raises(InvalidRequest, match="unknown here"):
        select().candidates(job(model="plain-mini"))
