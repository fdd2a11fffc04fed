"""What is allowed and hardly meant, as a worker says it when it starts."""

from datetime import date

import pytest

from worker.settings import SettingsError
from worker.startup_checks import checked_settings, warnings


@pytest.mark.parametrize(
    "name", ["OPENAI_APIKEY", "OPENAI_KEY", "ANTHROPIC_TOKEN", "GEMINI_API_KEY", "OPENAI_API_BASE"]
)
def test_no_simulator_answers_because_a_key_was_misspelt(env, name):
    env(LLM_CHAIN="simulator:s", **{name: "sk-x"})
    with pytest.raises(SettingsError, match=rf"LLM_CHAIN: .*simulator.*{name}.* Fix: ") as caught:
        checked_settings()
    assert "sk-x" not in str(caught.value)


def test_a_simulator_beside_real_providers_is_warned_about(env):
    env(LLM_CHAIN="openai:gpt-4o-mini,simulator:s", OPENAI_API_KEY="k", OPENAI_ORG_ID="o")
    assert any(
        each.startswith("SIMULATOR: ") for each in warnings(checked_settings(), date.today())
    )
    env(LLM_CHAIN="simulator:s", OPENAI_API_KEY="k")
    assert warnings(checked_settings(), date.today()) == []


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("LLM_LINK_OPENAI_BASE_URL", "OPENAI_BASE_URL"),
        ("LLM_LINK_OPENAI_API_KEY", "OPENAI_API_KEY"),
        ("LLM_LINK_GEMINI_BASE_URL", "GOOGLE_BASE_URL"),
        ("LLM_LINK_ANTHROPIC_BASE_URL", "ANTHROPIC_BASE_URL"),
    ],
)
def test_a_vendors_address_under_a_links_name_is_not_passed_over(env, name, own):
    """Its prompts would go to the vendor instead."""
    keys = dict.fromkeys(("OPENAI_API_KEY", "GOOGLE_API_KEY", "ANTHROPIC_API_KEY"), "k")
    env(LLM_CHAIN="openai:fast,gemini:fast,anthropic:fast", **keys | {name: "https://own.example"})
    with pytest.raises(SettingsError, match=rf"{name}: .*{own}.* Fix: ") as caught:
        checked_settings()
    assert "own.example" not in str(caught.value)


def test_a_misspelt_limit_is_warned_about(env):
    """It would be none, silently."""
    env(
        LLM_CHAIN="simulator:s",
        LLM_USD_PER_DAYS="5",
        LLM_USER_USD_PER_DAY="5",
        LLM_AUDIT_PRIVATE_KEYS="x",
    )
    unknown, unsafe = warnings(checked_settings(), date(2026, 1, 1))
    assert unknown.startswith("UNKNOWN_SETTING: LLM_USD_PER_DAYS is none of ours")
    assert unsafe.startswith("UNSAFE_AUDIT: ")
