"""Links that only the semantic cache asks, as the environment says."""

import sys

import pytest

from worker import celery, startup_checks
from worker.settings import SemanticSettings, Settings, SettingsError

CHAIN = {"OPENAI_API_KEY": "k", "LLM_CHAIN": "openai:gpt-4o-mini", "LLM_SEMANTIC_CACHE": "shadow"}


def test_a_link_of_a_chain_is_that_link(env):
    env(**CHAIN, LLM_SEMANTIC_JUDGE="openai:gpt-4o-mini")
    settings = Settings.load()
    assert settings.errand_links == settings.links
    assert settings.errand_embeddings == settings.embedding_links
    assert settings.for_errands.links == settings.links


@pytest.mark.parametrize(
    ("name", "said"), [("nano", "not provider:model"), ("gemini:fast", "GOOGLE_API_KEY")]
)
def test_what_is_wrong_with_one_is_told_at_the_start(env, name, said):
    env(**CHAIN, LLM_SEMANTIC_JUDGE=name)
    with pytest.raises(SettingsError, match=said):
        Settings.load()


@pytest.mark.parametrize("url", ["chroma", "redis://h:1", "http://", "http://h:0", "http://a b"])
def test_an_index_is_an_address_of_chroma(env, url):
    env(**CHAIN, LLM_SEMANTIC_INDEX=url)
    with pytest.raises(SettingsError, match="LLM_SEMANTIC_INDEX: must be like http://host:8000"):
        Settings.load()


def test_an_address_of_chroma_may_have_a_login_that_is_shown_to_nobody(env):
    env(**CHAIN, LLM_SEMANTIC_INDEX="https://u:pa55word@h")
    settings = Settings.load()
    assert "pa55word" not in repr(settings)
    assert settings.semantic.index.get_secret_value() == "https://u:pa55word@h"


def test_a_worker_without_the_extra_is_told_which(env, monkeypatch):
    env(**CHAIN, LLM_SEMANTIC_INDEX="http://h:8000")
    monkeypatch.setattr(startup_checks, "find_spec", lambda name: name != "chromadb" or None)
    with pytest.raises(SettingsError, match=r"LLM_SEMANTIC_INDEX: .*\[chroma\].*install it"):
        startup_checks.checked_settings()


def test_a_client_that_cannot_be_loaded_is_told_at_the_start(monkeypatch):
    monkeypatch.setitem(sys.modules, "chromadb.api.fastapi", None)
    settings = SemanticSettings(mode="serve", index="http://h:8000")
    with pytest.raises(SystemExit, match="LLM_SEMANTIC_INDEX: ModuleNotFoundError"):
        celery._load_chroma(settings)
    celery._load_chroma(settings.model_copy(update={"index": None}))
