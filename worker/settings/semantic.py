"""The slice of the settings of the semantic cache."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from .base import Dollars, Slice, variable
from .monitoring import is_http_url


def _is_a_server(value: SecretStr | None) -> SecretStr | None:
    if value and not is_http_url(value.get_secret_value()):
        raise ValueError("must be like http://host:8000, where Chroma answers")
    return value


class SemanticSettings(Slice):
    """Answers of questions that mean the same (docs/caching.md)."""

    mode: Literal["off", "shadow", "serve"] = variable("LLM_SEMANTIC_CACHE", "off")
    """shadow: it looks, learns and reports, and changes no answer."""
    max_error: Annotated[float, Field(gt=0, le=0.2, allow_inf_nan=False)] = variable(
        "LLM_SEMANTIC_MAX_ERROR", 0.01
    )
    """The share of answers served that may be wrong."""
    embedding: str | None = variable("LLM_SEMANTIC_EMBEDDING", None)
    """A link, which need be in no chain; None: the first of `LLM_EMBEDDING_CHAIN`."""
    paid_by: Literal["user", "fleet"] = variable("LLM_SEMANTIC_PAID_BY", "user")
    """On whose limits and usage vectors and verdicts count: the user's, or the fleet's alone."""
    judge: str | None = variable("LLM_SEMANTIC_JUDGE", None)
    """A link, also one in no chain, that says whether two questions are the same. None: nobody
    does.
    """
    judge_usd_per_day: Dollars = variable("LLM_SEMANTIC_JUDGE_USD_PER_DAY", 1.0)
    """Of a UTC day, for the whole fleet; then it is not asked until the next."""
    judge_timeout_ms: Annotated[int, Field(ge=1, le=60_000)] = variable(
        "LLM_SEMANTIC_JUDGE_TIMEOUT_MS", 2_000
    )
    """For how long a job waits for it; a later verdict counts for the next."""
    timeout_ms: Annotated[int, Field(ge=1, le=60_000)] = variable("LLM_SEMANTIC_TIMEOUT_MS", 300)
    """For how long a job waits for the embedding of its question, from its start."""
    index: Annotated[SecretStr | None, AfterValidator(_is_a_server)] = variable(
        "LLM_SEMANTIC_INDEX", None
    )
    """Chroma's URL, which may have a login. None: vectors lie in the ledger's server."""
