"""Links that only the semantic cache asks, as the environment says."""

import pytest

from worker.settings import Settings, SettingsError

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
