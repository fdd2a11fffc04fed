"""What becomes of each parameter of a request at each API. Data; docs/requests.md shows it.

Servers that speak OpenAI's API take what OpenAI takes, but for what their dialect lacks
(`dialects.py`). Sources: the three SDKs' types (openai 3.57, anthropic 2.14, google-genai 3.6.1).
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

Api = Literal["openai", "openai-responses", "anthropic", "gemini", "gemini-legacy"]
APIS: tuple[Api, ...] = get_args(Api)


class Fate(NamedTuple):
    """sent: as it is, under `name`; mapped: said in other words; clamped: to the API's range;
    holds: it is so without being said; refused: another link is asked.
    """

    how: Literal["sent", "mapped", "clamped", "holds", "refused"]
    name: str = ""
    """What it is on the wire, as the SDK calls it."""
    note: str = ""


SAME = Fate("sent")
REFUSED = Fate("refused")
_CACHES = Fate("holds", note="its cache needs no key")
_KEEPS = Fate("holds", note="it keeps no answers")
_CALLING = "tool_config.function_calling_config"

FATES: Mapping[str, Mapping[Api, Fate]] = {
    "temperature": {
        "openai": SAME,
        "openai-responses": SAME,
        "anthropic": Fate("clamped", "temperature", "at most 1"),
        "gemini": SAME,
        "gemini-legacy": SAME,
    },
    "max_tokens": {
        "openai": Fate("sent", "max_completion_tokens", "max_tokens by dialect"),
        "openai-responses": Fate("sent", "max_output_tokens", "at least 16"),
        "anthropic": SAME,
        "gemini": Fate("sent", "max_output_tokens"),
        "gemini-legacy": Fate("sent", "max_output_tokens"),
    },
    "stop": {
        "openai": SAME,
        "openai-responses": REFUSED,
        "anthropic": Fate("sent", "stop_sequences", "none of white space alone"),
        "gemini": Fate("sent", "stop_sequences"),
        "gemini-legacy": Fate("sent", "stop_sequences"),
    },
    "tools": {
        "openai": SAME,
        "openai-responses": Fate("mapped", "tools"),
        "anthropic": Fate("mapped", "tools", "strict: the schema in words where it must be"),
        "gemini": Fate("mapped", "tools.function_declarations", "without strict"),
        "gemini-legacy": Fate("mapped", "tools.function_declarations", "without strict"),
    },
    "response_format": {
        "openai": SAME,
        "openai-responses": Fate("mapped", "text.format"),
        "anthropic": Fate("mapped", "output_config.format", "`json_object`: asked for in words"),
        "gemini": Fate("mapped", "response_json_schema"),
        "gemini-legacy": Fate("mapped", "response_schema"),
    },
    "tool_choice": {
        "openai": SAME,
        "openai-responses": Fate("mapped", "tool_choice"),
        "anthropic": Fate("mapped", "tool_choice", "required is `any`; not beside thinking"),
        "gemini": Fate("mapped", _CALLING, "required is `ANY`"),
        "gemini-legacy": Fate("mapped", _CALLING, "required is `ANY`"),
    },
    "parallel_tool_calls": {
        "openai": SAME,
        "openai-responses": SAME,
        "anthropic": Fate("mapped", "tool_choice.disable_parallel_tool_use"),
        "gemini": REFUSED,
        "gemini-legacy": REFUSED,
    },
    "reasoning_effort": {
        "openai": Fate("clamped", "reasoning_effort", "to the model's levels"),
        "openai-responses": Fate("clamped", "reasoning.effort", "to the model's levels"),
        "anthropic": Fate("mapped", "thinking", "and `output_config.effort` since Opus 4.6"),
        "gemini": Fate("mapped", "thinking_config", "a budget; a level since Gemini 3"),
        "gemini-legacy": REFUSED,
    },
    "verbosity": {
        "openai": SAME,
        "openai-responses": Fate("sent", "text.verbosity"),
        "anthropic": REFUSED,
        "gemini": REFUSED,
        "gemini-legacy": REFUSED,
    },
    "top_p": dict.fromkeys(APIS, SAME),
    "top_k": {
        "openai": Fate("refused", note="sent in dialects of own servers"),
        "openai-responses": REFUSED,
        "anthropic": SAME,
        "gemini": SAME,
        "gemini-legacy": SAME,
    },
    "seed": {
        "openai": SAME,
        "openai-responses": REFUSED,
        "anthropic": REFUSED,
        "gemini": Fate("sent", "seed", "of 32 bits"),
        "gemini-legacy": REFUSED,
    },
    "presence_penalty": {
        "openai": SAME,
        "openai-responses": REFUSED,
        "anthropic": REFUSED,
        "gemini": SAME,
        "gemini-legacy": REFUSED,
    },
    "frequency_penalty": {
        "openai": SAME,
        "openai-responses": REFUSED,
        "anthropic": REFUSED,
        "gemini": SAME,
        "gemini-legacy": REFUSED,
    },
    "logit_bias": {
        "openai": SAME,
        "openai-responses": REFUSED,
        "anthropic": REFUSED,
        "gemini": REFUSED,
        "gemini-legacy": REFUSED,
    },
    "logprobs": {
        "openai": SAME,
        "openai-responses": Fate("mapped", "include"),
        "anthropic": REFUSED,
        "gemini": Fate("sent", "response_logprobs"),
        "gemini-legacy": REFUSED,
    },
    "top_logprobs": {
        "openai": SAME,
        "openai-responses": SAME,
        "anthropic": REFUSED,
        "gemini": Fate("sent", "logprobs"),
        "gemini-legacy": REFUSED,
    },
    "n": {
        "openai": SAME,
        "openai-responses": REFUSED,
        "anthropic": REFUSED,
        "gemini": Fate("sent", "candidate_count"),
        "gemini-legacy": REFUSED,
    },
    "service_tier": {
        "openai": SAME,
        "openai-responses": SAME,
        "anthropic": Fate("mapped", "service_tier", "default is `standard_only`; no other"),
        "gemini": Fate("mapped", "service_tier", "default is `standard`, fast `priority`"),
        "gemini-legacy": REFUSED,
    },
    "user": {
        "openai": SAME,
        "openai-responses": SAME,
        "anthropic": Fate("mapped", "metadata.user_id"),
        "gemini": Fate("mapped", "labels.user", "hashed, where it is no label"),
        "gemini-legacy": REFUSED,
    },
    "safety_identifier": {
        "openai": SAME,
        "openai-responses": SAME,
        "anthropic": Fate("mapped", "metadata.user_id"),
        "gemini": Fate("mapped", "labels.user", "hashed, where it is no label"),
        "gemini-legacy": REFUSED,
    },
    "prompt_cache_key": {
        "openai": SAME,
        "openai-responses": SAME,
        "anthropic": _CACHES,
        "gemini": _CACHES,
        "gemini-legacy": _CACHES,
    },
    "store": {
        "openai": SAME,
        "openai-responses": Fate("sent", "store", "always false"),
        "anthropic": _KEEPS,
        "gemini": SAME,
        "gemini-legacy": _KEEPS,
    },
    "prediction": {
        "openai": SAME,
        "openai-responses": REFUSED,
        "anthropic": REFUSED,
        "gemini": REFUSED,
        "gemini-legacy": REFUSED,
    },
    "web_search_options": {
        "openai": SAME,
        "openai-responses": Fate("mapped", "tools", "`web_search`"),
        "anthropic": Fate("mapped", "tools", "`web_search`; no search_context_size"),
        "gemini": Fate("mapped", "tools", "`google_search`; no options, no tools beside it"),
        "gemini-legacy": REFUSED,
    },
    "provider_options": {
        "openai": Fate("sent", note="as fields of the body"),
        "openai-responses": Fate("sent", note="as fields of the body"),
        "anthropic": Fate("sent", note="as fields of the body"),
        "gemini": Fate("sent", note="as fields of `GenerateContentConfig`"),
        "gemini-legacy": REFUSED,
    },
}
"""Parameter -> API -> what becomes of it."""

SAYS_NOTHING: Mapping[str, tuple[Any, ...]] = {
    "tool_choice": ("auto",),
    "parallel_tool_calls": (True,),
    "verbosity": ("medium",),
    "top_p": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "n": (1,),
    "service_tier": ("auto",),
}
"""Values that hold where a parameter is not sent: they are no reason to pass over a link."""

CHANGES_NOTHING = frozenset({"store", "prompt_cache_key"})
"""What a server of OpenAI's API that lacks it need not be told: it keeps and shares nothing."""

MOST_STOPS: Mapping[str, int] = {
    "openai": 4,  # the SDK's docstring of `stop`
    "azure": 4,
    "openai-responses": 0,
    "groq": 4,  # console.groq.com: API reference
    "deepseek": 16,  # api-docs.deepseek.com: Create Chat Completion
    "gemini": 5,  # ai.google.dev: GenerationConfig.stopSequences
    "gemini-legacy": 5,
}
"""API or dialect -> the most stop sequences. Anthropic takes 8,191 (AWS Bedrock's reference)."""
NO_STOPS = ("o3", "o4-mini")
"""Models of OpenAI's that take no stop sequence, by the docstring of `stop`."""
MOST_CANDIDATES = 8
"""Gemini's limit of `candidate_count`."""

ANTHROPIC_TIERS: Mapping[str, str] = {"auto": "auto", "default": "standard_only"}
GEMINI_TIERS: Mapping[str, str] = {
    "default": "standard",
    "flex": "flex",
    "priority": "priority",
    "fast": "priority",
}
"""OpenAI's names of service tiers -> theirs. OpenAI's own "fast" is told as "priority", too."""
