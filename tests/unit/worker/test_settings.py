"""Everything wrong in the environment is reported at once, with the variable and the fix."""

import subprocess
import sys
from pathlib import Path

import pytest

from worker.settings import Settings, SettingsError, load_redis
from worker.startup_checks import checked_settings

ROOT = Path(__file__).parents[3]


def problems():
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    return {problem.variable: str(problem) for problem in caught.value.problems}


def test_a_missing_key_names_the_link_and_the_fix(env):
    """Empty counts as missing."""
    env(OPENAI_API_KEY="")
    expected = (
        "Missing required env var: OPENAI_API_KEY (link 1, openai, needs it). "
        "Fix: export OPENAI_API_KEY=..."
    )
    assert problems() == {"OPENAI_API_KEY": expected}


def test_all_problems_are_reported_together(env):
    """One start, one list."""
    env(
        LLM_MAX_TOKENS="-5",
        LLM_TIMEOUT_SECONDS="nan",
        LLM_CHAIN="openai:gpt-4o-mini,nonsense",
        LLM_PRICES="a:b=1",
    )
    found = problems()
    assert set(found) == {
        "LLM_MAX_TOKENS",
        "LLM_TIMEOUT_SECONDS",
        "LLM_CHAIN",
        "OPENAI_API_KEY",
        "LLM_PRICES",
    }
    assert all("Fix:" in text for text in found.values())


def test_negative_limits_are_refused(env):
    """A limit below zero is a typing error, not 'unlimited'."""
    env(LLM_CHAIN="simulator:s", LLM_USD_PER_DAY="-1", LLM_USER_TOKENS_PER_HOUR="0")
    assert set(problems()) == {"LLM_USD_PER_DAY", "LLM_USER_TOKENS_PER_HOUR"}


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "Europe/berlin ", "UTC+2"])
def test_a_time_zone_that_is_none_is_told(env, zone):
    env(LLM_CHAIN="simulator:s", LLM_BUDGET_ZONE=zone)
    assert "no time zone of that name" in problems()["LLM_BUDGET_ZONE"]


def test_certificates_that_are_not_there_are_told_at_the_start(env, tmp_path):
    env(LLM_CHAIN="simulator:s", REQUESTS_CA_BUNDLE=str(tmp_path / "gone.pem"))
    assert "no such file" in problems()["REQUESTS_CA_BUNDLE"]


def test_the_defaults_of_the_contract(env):
    """The public names and their documented defaults."""
    env(OPENAI_API_KEY="k")
    settings = Settings.load()
    assert [link.name for link in settings.links] == ["openai:gpt-6-luna"]
    assert (settings.call.max_tokens, settings.call.temperature, settings.call.timeout_s) == (
        3072,
        0.7,
        30,
    )
    assert (settings.quota.max_cost_per_request, settings.quota.tokens_per_hour) == (0.10, 100_000)
    assert settings.cache.ttl_s == 86_400
    assert settings.redis.ledger == settings.redis.broker == settings.redis.backend


def test_a_provider_alone_and_an_alias_stand_for_a_model(env):
    """The data names it, so that it moves with the times."""
    env(
        LLM_CHAIN="openai,anthropic:smart,gemini:gemini-2.5-pro",
        OPENAI_API_KEY="k",
        ANTHROPIC_API_KEY="k",
        GOOGLE_API_KEY="k",
    )
    names = [link.name for link in Settings.load().links]
    assert names == ["openai:gpt-6-luna", "anthropic:claude-sonnet-5-5", "gemini:gemini-2.5-pro"]


def test_models_that_chat_does_not_serve_are_spoken_to_over_responses(env):
    """The catalog says which; a link may say so itself."""
    env(
        LLM_CHAIN="openai:gpt-5-pro,openai:o3,openai-responses:o3,openai-responses,local:gpt-5-pro",
        OPENAI_API_KEY="k",
        OPENAI_BASE_URL="http://host/v1",
        LLM_LINK_LOCAL_BASE_URL="http://host/v1",
    )
    links = Settings.load().links
    adapters = [link.adapter.removeprefix("openai") for link in links]
    assert adapters == ["-responses", "", "-responses", "-responses", ""]
    assert (links[2].base_url, links[3].model) == ("http://host/v1", "gpt-6-luna")


def test_a_file_corrects_what_is_known_of_models(env, tmp_path):
    """Field by field; and a wrong file is reported with the place in it."""
    extra = tmp_path / "models.toml"
    env(LLM_CHAIN="openai:fast", OPENAI_API_KEY="k", LLM_MODELS_FILE=str(extra))
    extra.write_text(
        '[openai.aliases]\nfast = "gpt-9"\n[openai.models]\n"gpt-4o" = { temperature = false }\n'
    )
    settings = Settings.load()
    assert settings.links[0].name == "openai:gpt-9"
    facts = settings.models.known.of("openai", "gpt-4o-2024-11-20")
    assert (facts.temperature, facts.window) == (False, 128_000)
    extra.write_text('[openai.models]\n"gpt-4o" = { windw = 1 }\n')
    assert "openai.models.gpt-4o.windw" in problems()["LLM_MODELS_FILE"]
    extra.write_text("[openai")
    assert "LLM_MODELS_FILE" in problems()


def test_output_filters_are_set_one_by_one(env):
    """What is not named keeps its default; an unknown action is refused."""
    env(LLM_CHAIN="simulator:s", LLM_OUTPUT_FILTERS="secrets=fail,my.module:look=retry")
    chosen = Settings.load().filters.output
    assert (chosen["secrets"], chosen["my.module:look"], chosen["pattern"]) == (
        "fail",
        "retry",
        "fail",
    )
    env(LLM_OUTPUT_FILTERS="secrets=explode")
    assert set(problems()) == {"LLM_OUTPUT_FILTERS"}
    env(LLM_OUTPUT_FILTERS="secrets")
    assert "name=value" in problems()["LLM_OUTPUT_FILTERS"]


def test_links_of_other_servers_are_settings_rows(env):
    """An OpenAI-compatible server needs no code."""
    env(
        LLM_CHAIN="local:llama,simulator:s",
        LLM_LINK_LOCAL_BASE_URL="http://127.0.0.1:1/v1",
        LLM_LINK_SIMULATOR_OPTIONS="down=1;x=a=b",
    )
    local, simulator = Settings.load().links
    assert (local.adapter, local.base_url, local.api_key) == (
        "openai",
        "http://127.0.0.1:1/v1",
        None,
    )
    assert simulator.options == {"down": "1", "x": "a=b"}


def test_a_secret_may_be_a_file(env, tmp_path):
    """As Docker and Kubernetes mount them."""
    (tmp_path / "OPENAI_API_KEY").write_text("from-file")
    env(LLM_SECRETS_DIR=str(tmp_path))
    assert Settings.load().links[0].api_key.get_secret_value() == "from-file"


def test_a_key_shows_in_no_repr(env):
    """Settings get logged."""
    env(OPENAI_API_KEY="sk-very-secret")
    assert "sk-very-secret" not in repr(Settings.load())


def test_redis_settings_need_nothing_else(env):
    """Flower and inspect start without provider keys; the three URLs default to REDIS_URL."""
    env(REDIS_URL="redis://h:1/2", LEDGER_URL="redis://l:3/4")
    redis = load_redis()
    assert (redis.broker, redis.backend, redis.ledger) == (
        "redis://h:1/2",
        "redis://h:1/2",
        "redis://l:3/4",
    )


def test_each_vendor_has_variables_of_its_own(env):
    """A chain of two vendors names the key that is missing, and whose it is."""
    env(
        LLM_CHAIN="openai:gpt-4o-mini,anthropic:claude-haiku-4-5",
        OPENAI_API_KEY="sk-1",
        ANTHROPIC_BASE_URL="http://gateway",
    )
    expected = (
        "Missing required env var: ANTHROPIC_API_KEY (link 2, anthropic, needs it). "
        "Fix: export ANTHROPIC_API_KEY=..."
    )
    assert problems() == {"ANTHROPIC_API_KEY": expected}
    env(ANTHROPIC_API_KEY="sk-2")
    first, second = Settings.load().links
    assert (first.base_url, second.base_url, second.adapter) == (
        None,
        "http://gateway",
        "anthropic",
    )
    assert (first.api_key.get_secret_value(), second.api_key.get_secret_value()) == ("sk-1", "sk-2")


@pytest.mark.parametrize(
    "url",
    [
        "hooks.example/x",
        "https://ops:pw@hooks.example",
        "https://h/T0/ SECRET",
        "https://h:x/",
        "https://h\n/",
    ],
)
def test_a_url_that_cannot_be_posted_to_is_refused_without_being_shown(env, url):
    env(
        LLM_CHAIN="simulator:s",
        LLM_ALERT_WEBHOOK=url,
        LLM_ALERT_SLACK="https://hooks.example/services/T0/B0/x",
    )
    found = problems()
    assert set(found) == {"LLM_ALERT_WEBHOOK"}
    assert url not in found["LLM_ALERT_WEBHOOK"]


def test_a_wrong_url_of_redis_is_reported_by_the_first_send_and_not_by_the_import(env):
    """In an interpreter of its own, as a web app has it."""
    code = """
from producer import complete
try:
    complete.AsyncResult("x").progress()
except ValueError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"REDIS_URL": "nonsense"},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.stdout.startswith(
        "settings of the producer: REDIS_URL: write it as redis://host:6379/0"
    ), done.stderr


def test_what_no_slice_knows_is_reported_with_the_rest(env):
    """An adapter that there is not, beside a number that is none."""
    env(LLM_CHAIN="foo:bar", LLM_MAX_TOKENS="abc")
    with pytest.raises(SettingsError) as caught:
        checked_settings()
    assert {problem.variable for problem in caught.value.problems} == {
        "LLM_CHAIN",
        "LLM_MAX_TOKENS",
    }


def test_a_dialect_is_one_that_there_is(env):
    where = {"LLM_CHAIN": "my-box:llama", "LLM_LINK_MY_BOX_BASE_URL": "http://127.0.0.1:1/v1"}
    env(**where, LLM_LINK_MY_BOX_DIALECT="ollama")
    assert checked_settings().links[0].dialect == "ollama"
    env(LLM_LINK_MY_BOX_DIALECT="llama")
    with pytest.raises(SettingsError, match="use one of openai, azure, "):
        checked_settings()
