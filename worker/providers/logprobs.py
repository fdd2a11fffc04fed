"""Log probabilities of tokens, as OpenAI and Gemini state them. Pure."""

import math
from typing import Any

from producer.contract.completions import Alternative, TokenLogprob

from .bodies import clean, items, mapping, text_of

MOST_TOKENS = 100_000
"""More than any model writes in one answer with them."""
MOST_ALTERNATIVES = 20


def token_logprobs(stated: object) -> tuple[TokenLogprob, ...]:
    """OpenAI's `logprobs` of a choice; what cannot be read of it is left out."""
    tokens = items(mapping(stated).get("content"))
    tops = [items(mapping(each).get("top_logprobs")) for each in tokens]
    return _paired(tokens, tops, "logprob")


def candidate_logprobs(stated: object) -> tuple[TokenLogprob, ...]:
    """Gemini's `logprobsResult` of a candidate."""
    result = mapping(stated)
    tops = [items(mapping(each).get("candidates")) for each in items(result.get("topCandidates"))]
    return _paired(items(result.get("chosenCandidates")), tops, "logProbability")


def _paired(tokens: list[Any], tops: list[list[Any]], name: str) -> tuple[TokenLogprob, ...]:
    """Each token with the likeliest ones in its place, if these are stated."""
    found = []
    for place, each in enumerate(tokens[:MOST_TOKENS]):
        told = tops[place][:MOST_ALTERNATIVES] if place < len(tops) else []
        top = tuple(filter(None, (_alternative(other, name) for other in told)))
        if token := _alternative(each, name):
            found.append(TokenLogprob(token=token.token, logprob=token.logprob, top=top))
    return tuple(found)


def _alternative(stated: object, name: str) -> Alternative | None:
    fields = mapping(stated)
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return Alternative(token=clean(text_of(fields.get("token"))), logprob=float(value))
