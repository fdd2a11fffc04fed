"""What vendors charge for searches of the web, beside the tokens. Data.

As last known of their price pages, the dearest where it depends: Anthropic $10 per 1,000 searches;
OpenAI $25 per 1,000 calls of chat models that search, $10 with the Responses API; Google $35 per
1,000 prompts up to Gemini 2.5, then $14 per 1,000 queries.
"""

from ..settings import Link

MICRO_USD = {
    "anthropic": 10_000,
    "openai": 25_000,
    "openai-responses": 10_000,
    "gemini": 14_000,
}
"""Adapter -> micro-dollars per search."""
PER_PROMPT = {"gemini-1": 35_000, "gemini-2": 35_000}
"""Beginning of a model's id -> micro-dollars, however many searches there are."""
MOST_SEARCHES = 5
"""Of one answer; reserved, and told to Anthropic. Google takes no limit."""
ONCE = ("openai",)
"""Adapters whose models search exactly once, and do not say so."""


def search_fee(link: Link, searches: int) -> int:
    """Micro-dollars for so many searches of one call."""
    if not searches or link.free:
        return 0
    for beginning, micro_usd in PER_PROMPT.items():
        if link.model.startswith(beginning):
            return micro_usd
    if link.adapter in ONCE:
        searches = 1
    return MICRO_USD.get(link.adapter, 0) * searches
