"""What the settings would do to a request that says nothing is told before there is one."""

from datetime import date

import pytest

from producer.contract.completions import Usage
from worker.budgets.pricing import Price, Pricing
from worker.providers.default_requests import DefaultRequests
from worker.settings import Settings, SettingsError
from worker.settings.prices import rates
from worker.startup_checks import checked_settings, warnings

DAY = date(2026, 6, 1)


@pytest.fixture
def settings(monkeypatch):
    def settings_(**variables):
        for name, value in ({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"} | variables).items():
            monkeypatch.setenv(name, value)
        return Settings.load()

    return settings_


def told(settings):
    return DefaultRequests(settings).warnings()


def test_the_usual_settings_are_fine(settings):
    for chain in ("openai:fast,anthropic:fast", "openai:gpt-4o-mini", "simulator:small"):
        found = settings(LLM_CHAIN=chain)
        assert (told(found), DefaultRequests(found).refused_everywhere()) == ([], False)


def test_a_model_without_a_price(settings):
    found = settings(LLM_CHAIN="openai:my-llama", OPENAI_BASE_URL="http://127.0.0.1:8000/v1")
    (warning,) = told(found)
    assert warning.startswith("NO_PRICE: no price known for openai:my-llama")
    assert "beyond LLM_MAX_COST_PER_REQUEST and refused" in warning
    assert "add openai:my-llama=INPUT/OUTPUT to LLM_PRICES" in warning
    assert DefaultRequests(found).refused_everywhere()
    (warning,) = told(settings(LLM_CHAIN="openai:gpt-4o-mni"))
    assert "openai:gpt-4o-mni (misspelt? There is gpt-4o-mini)" in warning
    assert told(settings(LLM_PRICES="openai:*=0/0")) == []


def test_a_cap_that_is_too_small_is_told_with_one_that_is_not(settings):
    found = settings(LLM_CHAIN="openai:gpt-4o", LLM_MAX_COST_PER_REQUEST="0.001")
    (warning,) = told(found)
    assert warning.startswith("CAP_TOO_SMALL: a question at openai:gpt-4o may cost $0.03")
    assert "Fix: LLM_MAX_COST_PER_REQUEST=0.04, or a smaller LLM_MAX_TOKENS" in warning
    assert told(settings(LLM_MAX_COST_PER_REQUEST="0.06")) == []
    (warning,) = told(settings(LLM_MAX_COST_PER_REQUEST="0.04"))
    assert "a part of a document at openai:gpt-4o may cost $0.048" in warning


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LLM_CHAIN": "anthropic:claud-haiku"}, "UNKNOWN_MODEL: anthropic:claud-haiku"),
        (
            {"LLM_CHAIN": "local:fast", "LLM_LINK_LOCAL_BASE_URL": "http://127.0.0.1:8000/v1"},
            "UNKNOWN_MODEL: local:fast: fast is an alias",
        ),
        ({"LLM_BATCH_MODEL": "gpt-9"}, "UNKNOWN_MODEL: LLM_BATCH_MODEL=gpt-9"),
        ({"LLM_USER_TOKENS_PER_HOUR": "1000"}, "more than LLM_USER_TOKENS_PER_HOUR=1000"),
        ({"LLM_USER_USD_PER_DAY": "0.0001"}, "more than LLM_USER_USD_PER_DAY=0.0001"),
        ({"LLM_USD_PER_DAY": "0.0001"}, "more than LLM_USD_PER_DAY=0.0001"),
        ({"LLM_CHAIN": "openai:gpt-4", "LLM_MAX_TOKENS": "8190"}, "NO_ROOM: LLM_MAX_TOKENS=8190"),
    ],
)
def test_what_else_is_told(settings, variables, expected):
    variables = {"LLM_CHAIN": "openai:gpt-4o-mini", "LLM_MAX_COST_PER_REQUEST": "9"} | variables
    assert any(expected in warning for warning in told(settings(**variables)))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("openai:gpt-4o=0.0000025/0.00001", "input 0.0000025 is 1,000,000 times less"),
        ("openai:*=0.0025/0.01", "input 0.0025 is 1,000 times less than the known price 2.5"),
        ("openai:gpt-4o=2.5/10000", "output 10000 is 1,000 times the known price 10"),
        ("anthropic:claude-haiku-4-5=1/0.005", "output 0.005 is 1,000 times less"),
    ],
)
def test_a_price_in_another_unit_is_refused_unless_forced(settings, row, reason):
    settings(LLM_CHAIN="openai:gpt-4o", LLM_PRICES=row)
    with pytest.raises(SettingsError, match=reason):
        checked_settings()
    settings(LLM_PRICES=f"{row}!")
    assert checked_settings().pricing.overrides


def test_a_dear_price_of_all_models_is_not_compared_with_that_of_vectors(settings):
    settings(LLM_CHAIN="openai:m", LLM_PRICES="openai:*=15/120")
    assert checked_settings().pricing.overrides


def test_a_price_of_nothing_is_no_mistake(settings):
    settings(LLM_CHAIN="openai:gpt-4o", LLM_PRICES="openai:gpt-4o=0/0")
    assert checked_settings().pricing.overrides


def test_a_server_of_ones_own_is_free_by_one_word(settings):
    url = "http://127.0.0.1:8000/v1"
    own = settings(LLM_CHAIN="local:any", LLM_LINK_LOCAL_BASE_URL=url, LLM_LINK_LOCAL_FREE="true")
    assert told(own) == []
    pricing = Pricing(own.pricing.overrides, own.pricing.unknown, own.links)
    usage = Usage(input=1_000_000, output=1_000_000)
    assert pricing.cost("local", "any", usage) == Price(0, known=True)
    assert pricing.cost("openai", "my-llama", usage).micro_usd > 0
    dear = Pricing({"local:big": rates("1/1")}, own.pricing.unknown, own.links)
    assert dear.cost("local", "big", usage).micro_usd == 2_000_000


@pytest.mark.parametrize("link", ["openai:gpt-4o", "anthropic:claude-haiku-4-5"])
def test_a_vendor_that_bills_is_not_free(settings, link):
    name = f"LLM_LINK_{link.partition(':')[0].upper()}_FREE"
    settings(LLM_CHAIN=link, **{name: "true"})
    with pytest.raises(SettingsError, match=f"{name}.*{link} costs .* per million tokens"):
        checked_settings()


def test_rows_that_price_nothing_here_are_told(settings):
    rows = "openai:gpt-4o=1/1,openai:gpt-4o-2024-05-13=5/15,openai:gpt-6-luna@flex=1/1"
    found = settings(LLM_CHAIN="openai:gpt-4o", LLM_PRICES=rows)
    assert [each for each in warnings(found, DAY) if "PRICE" in each] == []
    found = settings(LLM_PRICES="opnai:*=1/1,openai:gpt-4p=1/1,openai:gpt-4o=1/1")
    unused = [each for each in warnings(found, DAY) if "UNUSED_PRICE" in each]
    assert [each.split()[2] for each in unused] == ["opnai:*", "openai:gpt-4p"]


def test_prices_per_token_are_told_where_no_price_is_known(settings):
    url = {"LLM_LINK_LOCAL_BASE_URL": "http://127.0.0.1:8000/v1"}
    found = settings(LLM_CHAIN="local:big", LLM_PRICES="local:*=0.000002/0.00001", **url)
    assert any("PRICE_PER_TOKEN: LLM_PRICES: local:*" in each for each in warnings(found, DAY))
