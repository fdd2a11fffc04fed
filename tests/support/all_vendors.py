"""A chain of all three vendors at one server."""

from collections.abc import Iterable


def env(base_url: str, links: Iterable[str]) -> dict[str, str]:
    """Everything else as it is by default. `base_url`: as OpenAI's SDK wants it, ending in /v1."""
    url = base_url.removesuffix("/v1")
    return {
        "LLM_CHAIN": ",".join(links),
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": base_url,
        "ANTHROPIC_API_KEY": "k",
        "ANTHROPIC_BASE_URL": url,
        "GOOGLE_API_KEY": "k",
        "GOOGLE_BASE_URL": url,
    }
