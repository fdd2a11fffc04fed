"""The tokens that a server says a call took, in any vendor's words. Pure."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from producer.contract.completions import Usage

from ..ledger.attempt import MOST_TOKENS
from .bodies import Json, mapping
from .charges import charged_micro_usd, service_tier

UNREADABLE = "usage: cannot be read, so what the call cost is not known"
APART = "usage: its total counts more than prompt and answer; booked by the total"
BELOW = "usage: its total is less than prompt and answer; booked by these"
REASONING = "usage: more reasoning than answer; booked as counted apart"
CACHED = "usage: more cached than asked; booked at the dearer reading"

Path = tuple[str, ...]

_INPUT: tuple[Path, ...] = (("prompt_tokens",), ("input_tokens",))
_OUTPUT: tuple[Path, ...] = (("completion_tokens",), ("output_tokens",))
_CACHED: tuple[Path, ...] = (
    ("prompt_tokens_details", "cached_tokens"),  # OpenAI, xAI, Groq, OpenRouter, vLLM
    ("input_tokens_details", "cached_tokens"),  # OpenAI's Responses
    ("prompt_cache_hit_tokens",),  # DeepSeek
    ("cached_tokens",),  # Moonshot, Together
    ("num_cached_tokens",),  # Mistral
    ("cache_read_input_tokens",),  # LiteLLM, Databricks, for Claude
)
_CACHE_WRITTEN: tuple[Path, ...] = (
    ("prompt_tokens_details", "cache_write_tokens"),  # OpenAI, OpenRouter
    ("input_tokens_details", "cache_write_tokens"),  # OpenAI's Responses
    ("prompt_tokens_details", "cache_creation_tokens"),  # LiteLLM
    ("cache_creation_input_tokens",),  # LiteLLM, Databricks, for Claude
)
_REASONING: tuple[Path, ...] = (
    ("completion_tokens_details", "reasoning_tokens"),  # OpenAI, xAI, DeepSeek, OpenRouter
    ("output_tokens_details", "reasoning_tokens"),  # OpenAI's Responses
    ("reasoning_tokens",),  # Together
)


class Stated(NamedTuple):
    """A usage as far as it can be read.

    `usage` None: none was stated, or, with a flag, it cannot be read. `tier`: the service tier that
    served, "" for the standard one. `charged_micro_usd`: what the provider says it charged.
    """

    usage: Usage | None = None
    flags: tuple[str, ...] = ()
    tier: str = ""
    charged_micro_usd: int | None = None


NOTHING = Stated()
_UNREADABLE = Stated(None, (UNREADABLE,))


def openai_usage(stated: object, reasoning_apart: bool = False) -> Stated:
    """`usage` of OpenAI's API and of the servers that are compatible with it.

    `reasoning_apart`: where no total says it, the answer's tokens leave out the reasoning.
    """
    if stated is None or stated == {}:
        return NOTHING
    fields = mapping(stated)
    asked = _first(fields, _INPUT)
    answered = _first(fields, _OUTPUT)
    total = count(fields.get("total_tokens"))
    charged = charged_micro_usd(fields)
    if _is_missing(fields, _INPUT) and answered is not None and total is not None:
        asked = total - answered
    if _is_missing(fields, _OUTPUT) and asked is not None and total is not None:
        answered = total - asked
    if asked is None or answered is None:
        return _UNREADABLE._replace(charged_micro_usd=charged)
    reasoning = _first(fields, _REASONING) or 0
    if reasoning_apart and total is None:
        answered += reasoning
    usage = Usage(
        input=asked,
        output=answered,
        cached=_first(fields, _CACHED) or 0,
        cache_written=_first(fields, _CACHE_WRITTEN) or 0,
        reasoning=reasoning,
    )
    return consistent(usage, total)._replace(charged_micro_usd=charged)


def anthropic_usage(stated: object) -> Stated:
    """Anthropic's input leaves out what was read from or written to its cache; ours is the sum."""
    if stated is None or stated == {}:
        return NOTHING
    fields = mapping(stated)
    asked = count(fields.get("input_tokens"))
    answered = count(fields.get("output_tokens"))
    if asked is None or answered is None:
        return _UNREADABLE
    read = count(fields.get("cache_read_input_tokens")) or 0
    kept = mapping(fields.get("cache_creation"))
    for_an_hour = count(kept.get("ephemeral_1h_input_tokens")) or 0
    by_life = for_an_hour + (count(kept.get("ephemeral_5m_input_tokens")) or 0)
    cache_written = max(count(fields.get("cache_creation_input_tokens")) or 0, by_life)
    usage = Usage(
        input=asked + read + cache_written,
        output=answered,
        cached=read,
        cache_written=cache_written,
        cache_written_1h=for_an_hour,
        reasoning=_first(fields, (("output_tokens_details", "thinking_tokens"),)) or 0,
        searches=count(mapping(fields.get("server_tool_use")).get("web_search_requests")) or 0,
    )
    tier = service_tier(fields.get("service_tier"))
    if tier == "priority":
        tier = ""  # a commitment: its tokens are counted at the standard prices
    if fields.get("speed") == "fast":
        tier = "fast"
    charged = charged_micro_usd(fields)
    return consistent(usage)._replace(tier=tier, charged_micro_usd=charged)


def gemini_usage(stated: object) -> Stated:
    """Gemini's output leaves out the thoughts; ours includes them."""
    if stated is None or stated == {}:
        return NOTHING
    fields = mapping(stated)
    asked = count(fields.get("promptTokenCount"))
    if asked is None:
        return _UNREADABLE
    asked += count(fields.get("toolUsePromptTokenCount")) or 0
    thoughts = count(fields.get("thoughtsTokenCount")) or 0
    answered = count(fields.get("candidatesTokenCount"))
    if fields.get("candidatesTokenCount") is not None and answered is None:
        return _UNREADABLE
    usage = Usage(
        input=asked,
        output=(answered or 0) + thoughts,
        cached=count(fields.get("cachedContentTokenCount")) or 0,
        reasoning=thoughts,
    )
    tier = service_tier(fields.get("serviceTier")) or service_tier(fields.get("trafficType"))
    return consistent(usage, count(fields.get("totalTokenCount")))._replace(tier=tier)


def consistent(usage: Usage, total: int | None = None) -> Stated:
    """A usage that contradicts itself, at the dearer of its readings, with a flag that says so."""
    flags = []
    changes: dict[str, int] = {}
    counted = usage.input + usage.output
    if total is not None and total > counted:
        # Such as xAI's: its answer leaves out the reasoning.
        changes["output"] = total - usage.input
        flags.append(APART)
    elif usage.reasoning > usage.output:
        changes["output"] = usage.output + usage.reasoning
        flags.append(REASONING)
    elif total and total < counted:
        flags.append(BELOW)
    if usage.cached + usage.cache_written > usage.input:
        changes |= {"cached": 0, "cache_written": 0, "cache_written_1h": 0}
        if total is None:
            changes["input"] = usage.input + usage.cached + usage.cache_written
        flags.append(CACHED)
    read = usage.model_copy(update=changes)
    if read.input + read.output > MOST_TOKENS:
        return _UNREADABLE
    return Stated(read, tuple(flags))


def count(value: object) -> int | None:
    """A number of tokens: whole and not negative, also as text. None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 16:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and 0 <= value <= MOST_TOKENS:
        return value
    return None


def _is_missing(fields: Json, paths: Iterable[Path]) -> bool:
    """Whether none of the places holds anything, be it a number or not."""
    return all(fields.get(path[0]) is None for path in paths)


def _first(fields: Json, paths: Iterable[Path]) -> int | None:
    """The first of the places that holds a number of tokens."""
    for name, *inner in paths:
        value: Any = fields.get(name)
        if value is None:  # as most are
            continue
        for each in inner:
            value = mapping(value).get(each)
        found = count(value)
        if found is not None:
            return found
    return None
