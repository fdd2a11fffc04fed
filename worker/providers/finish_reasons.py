"""The words with which servers say why an answer ended, and what they mean here. Data.

Compared in lower case, without a prefix such as `FINISH_REASON_`.
"""

import re
from typing import NamedTuple

from .base import Finish

MISSING = "missing"


class Ending(NamedTuple):
    """What is known of an answer's end.

    `finish` None: the word is unknown, missing, or says that the answer is not whole.
    `broken`: the server says that it failed or stopped in the middle.
    `word`: as it was stated, bounded and without odd characters.
    """

    finish: Finish | None
    broken: bool
    word: str


_STOP = (
    ("stop", "OpenAI, Mistral, Ollama, vLLM; Gemini as STOP"),
    ("end_turn", "Anthropic; AWS Bedrock's Converse"),
    ("stop_sequence", "Anthropic; AWS Bedrock's Converse; Hugging Face TGI"),
    ("eos", "Together's finish_reason; llama.cpp's stop_type"),
    ("eos_token", "Hugging Face TGI, dstackai/dstack#2229; IBM watsonx.ai"),
    ("word", "llama.cpp's stop_type"),
    ("complete", "Cohere as COMPLETE"),
    ("completed", "OpenAI's Responses: status"),
    ("finish", "AWS Bedrock's Titan as FINISH"),
    ("finished", "AWS Bedrock's Titan as FINISHED"),
    ("endoftext", "AI21"),
    ("normal", "Baidu's ERNIE"),
)
_LENGTH = (
    ("length", "OpenAI, vLLM, Ollama"),
    ("max_tokens", "Anthropic; Gemini as MAX_TOKENS; Cohere"),
    ("max_output_tokens", "OpenAI's Responses: incomplete_details.reason"),
    ("model_length", "Mistral, pydantic/pydantic-ai#2844"),
    ("model_context_window_exceeded", "Anthropic; AWS Bedrock's Converse"),
    ("error_limit", "Cohere as ERROR_LIMIT: the context is full"),
    ("token_limit", "IBM watsonx.ai"),
    ("limit", "llama.cpp's stop_type"),
    ("continuation", "Gemini as CONTINUATION"),
)
_TOOL_CALLS = (
    ("tool_calls", "OpenAI"),
    ("tool_call", "Cohere as TOOL_CALL"),
    ("tool_use", "Anthropic; AWS Bedrock's Converse"),
    ("function_call", "OpenAI before tools"),
)
_CONTENT_FILTER = (
    ("content_filter", "OpenAI, Azure"),
    ("content_filtered", "AWS Bedrock's Converse"),
    ("guardrail_intervened", "AWS Bedrock's Converse"),
    ("sensitive", "Zhipu's GLM"),
    ("error_toxic", "Cohere as ERROR_TOXIC"),
    ("safety", "Gemini as SAFETY"),
    ("recitation", "Gemini as RECITATION"),
    ("blocklist", "Gemini as BLOCKLIST"),
    ("prohibited_content", "Gemini as PROHIBITED_CONTENT"),
    ("spii", "Gemini as SPII"),
    ("image_safety", "Gemini as IMAGE_SAFETY"),
    ("image_prohibited_content", "Gemini as IMAGE_PROHIBITED_CONTENT"),
    ("image_recitation", "Gemini as IMAGE_RECITATION"),
    ("model_armor", "Gemini as MODEL_ARMOR"),
    ("escalation", "Gemini as ESCALATION"),
)
_REFUSAL = (("refusal", "Anthropic"),)
_BROKEN = (
    ("error", "Mistral, OpenRouter; Cohere as ERROR"),
    ("abort", "vLLM, SGLang: the request was aborted"),
    ("cancelled", "TensorRT-LLM; IBM watsonx.ai"),
    ("user_cancel", "Cohere as USER_CANCEL"),
    ("timeout", "TensorRT-LLM; Cohere as TIMEOUT"),
    ("time_limit", "IBM watsonx.ai"),
    ("network_error", "Zhipu's GLM"),
    ("insufficient_system_resource", "DeepSeek"),
)
WINDOW_FULL = ("model_context_window_exceeded", "model_length", "error_limit")
"""Of those that mean "length": the model's window is full, so a higher max_tokens cannot help."""

SOURCES: dict[Finish, tuple[tuple[str, str], ...]] = {
    "stop": _STOP,
    "length": _LENGTH,
    "tool_calls": _TOOL_CALLS,
    "content_filter": _CONTENT_FILTER,
    "refusal": _REFUSAL,
}
"""Finish -> (word, where it is said)."""

_KNOWN: dict[str, Finish] = {word: finish for finish, rows in SOURCES.items() for word, _ in rows}
_FAILED = {word for word, _ in _BROKEN}
_PREFIX = re.compile(r"^(finish_?reason|stop_?reason)[._]")


def ending(stated: object) -> Ending:
    """What the stated finish reason means, whatever its JSON type."""
    if stated is None or stated == "":
        return Ending(None, broken=False, word=MISSING)
    if not isinstance(stated, str | int | float):
        return Ending(None, broken=False, word="no text")
    word = re.sub(r"[^a-z0-9_.]+", "_", str(stated)[:64].strip().lower())
    word = _PREFIX.sub("", word).strip("_") or "unreadable"
    return Ending(_KNOWN.get(word), word in _FAILED, word)
