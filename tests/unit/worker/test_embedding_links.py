"""Which links make embeddings, as the environment says."""

import pytest

from worker.settings import Settings, SettingsError


def embeddings(env, **variables):
    env(OPENAI_API_KEY="k", **variables)
    return [link.name for link in Settings.load().embedding_links]


def test_embeddings_are_openai_s_where_the_chain_has_its_key(env):
    """Never those of another vendor by themselves: an index is of one model."""
    assert embeddings(env, LLM_CHAIN="openai:fast") == ["openai:text-embedding-3-small"]
    settings = Settings.load()
    assert settings.named_links == settings.links
    assert embeddings(env, LLM_CHAIN="simulator:s") == []


def test_links_of_embeddings_have_their_own_servers_and_those_of_the_chain(env):
    names = ["openai:text-embedding-3-large", "local:bge-m3", "local:other"]
    variables = {
        "LLM_CHAIN": "openai:gpt-5-pro",
        "LLM_EMBEDDING_CHAIN": ",".join(names),
        "LLM_LINK_LOCAL_BASE_URL": "http://host/v1",
    }
    assert embeddings(env, **variables) == names
    settings = Settings.load()
    assert settings.embedding_links[1].base_url == "http://host/v1"
    assert [link.name for link in settings.all_links] == ["openai:gpt-5-pro", *names]
    assert settings.named_links == settings.all_links


def test_what_is_wrong_with_links_of_embeddings_is_told(env):
    env(LLM_CHAIN="simulator:s", LLM_EMBEDDING_CHAIN="openai,gemini:gemini-embedding-001")
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    found = {problem.variable: str(problem) for problem in caught.value.problems}
    assert "link 1 is not provider:model" in found["LLM_EMBEDDING_CHAIN"]
    assert "openai:text-embedding-3-small" in found["LLM_EMBEDDING_CHAIN"]
    assert "needs it" in found["GOOGLE_API_KEY"]
