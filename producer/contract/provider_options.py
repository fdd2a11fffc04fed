"""`provider_options`: what goes to one provider as it is given, beside what a request says itself.

They may add to a call, and never change what the worker reserves, routes, reads or hides by.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .hygiene import problem as unsafe
from .plain import not_plain

MOST_DEPTH = 32

_EVERYWHERE = {"model": "model", "stream": "", "temperature": "temperature", "top_p": "top_p"}
_OPENAI = {
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "messages": "messages",
    "input": "messages",
    "instructions": "messages",
    "previous_response_id": "messages",
    "conversation": "messages",
    "background": "",
    "stream_options": "",
    "extra_headers": "",
    "stop": "stop",
    "n": "n",
    "seed": "seed",
    "response_format": "response_format",
    "tool_choice": "tool_choice",
    "parallel_tool_calls": "parallel_tool_calls",
    "reasoning_effort": "reasoning_effort",
    "verbosity": "verbosity",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "logit_bias": "logit_bias",
    "logprobs": "logprobs",
    "top_logprobs": "top_logprobs",
    "service_tier": "service_tier",
    "user": "user",
    "safety_identifier": "safety_identifier",
    "prompt_cache_key": "prompt_cache_key",
    "store": "store",
    "prediction": "prediction",
    "web_search_options": "web_search_options",
}
ALWAYS: Mapping[str, Mapping[str, str]] = {
    "openai": _EVERYWHERE | _OPENAI,
    "anthropic": _EVERYWHERE
    | {
        "messages": "messages",
        "system": "messages",
        "max_tokens": "max_tokens",
        "stop_sequences": "stop",
        "top_k": "top_k",
        "extra_headers": "",
    },
    "gemini": _EVERYWHERE
    | {
        "contents": "messages",
        "system_instruction": "messages",
        "max_output_tokens": "max_tokens",
        "stop_sequences": "stop",
        "candidate_count": "n",
        "top_k": "top_k",
        "seed": "seed",
        "presence_penalty": "presence_penalty",
        "frequency_penalty": "frequency_penalty",
        "response_logprobs": "logprobs",
        "logprobs": "top_logprobs",
        "http_options": "",
        "should_return_http_response": "",
        "automatic_function_calling": "",
        "automatic_continuation": "",
        "continuation_token": "",
    },
}
"""Provider -> option that is never taken -> the field that says it instead; "" if none does.

The names are those of the SDKs. Providers that are not here speak OpenAI's API.
"""
IF_SAID: Mapping[str, Mapping[str, str]] = {
    "anthropic": {
        "thinking": "reasoning_effort",
        "output_config.effort": "reasoning_effort",
        "output_config.format": "response_format",
        "tool_choice": "tool_choice",
        "metadata": "user",
        "service_tier": "service_tier",
    },
    "gemini": {
        "thinking_config": "reasoning_effort",
        "response_mime_type": "response_format",
        "response_schema": "response_format",
        "response_json_schema": "response_format",
        "tool_config.function_calling_config": "tool_choice",
        "labels": "user",
        "service_tier": "service_tier",
        "store": "store",
    },
}
"""Provider -> option -> the field beside which it would be said twice."""


def contradictions(options: Mapping[str, Mapping[str, Any]], said: set[str]) -> Iterator[str]:
    """The places of options that contradict the request, with the reason and the fix.

    `said`: the fields that the request says.
    """
    for provider, given in options.items():
        always = ALWAYS.get(provider, ALWAYS["openai"])
        for name in given:
            plain = snake(name)
            if plain not in always:
                continue
            place = f"provider_options.{provider}.{name}"
            if field := always[plain]:
                yield f"{place}: is said by {field}. Fix: pass {field} instead"
            else:
                yield f"{place}: is set by the worker. Fix: leave it out"
        for path, field in IF_SAID.get(provider, {}).items():
            if field in said and _has(given, path.split(".")):
                place = f"provider_options.{provider}.{path}"
                yield f"{place}: contradicts {field}. Fix: leave one of them out"


def snake(name: str) -> str:
    """Google's SDK takes both spellings."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def problem(given: Mapping[str, Any]) -> str:
    """What of one provider's options may not be sent, with the fix; "" if nothing."""
    if reason := not_plain(given):
        return reason
    level: list[Any] = [given]
    for _ in range(MOST_DEPTH):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, str) and (reason := unsafe(value)):
                return reason
            if isinstance(value, dict):
                inner += [*value, *value.values()]
            elif isinstance(value, list | tuple):
                inner += value
        if not inner:
            return ""
        level = inner
    return f"is nested deeper than {MOST_DEPTH} levels. Fix: make it flatter"


def _has(given: Any, path: list[str]) -> bool:
    for name in path:
        if not isinstance(given, Mapping):
            return False
        spelt = {snake(key): value for key, value in given.items()}
        if name not in spelt:
            return False
        given = spelt[name]
    return True
