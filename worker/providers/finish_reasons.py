"""The words with which servers say why an answer ended, and what they mean here. Data.

Each was looked up where it is said: an SDK's types, a vendor's reference, or a public report.

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
    ("stop_sequence", "Anthropic; AWS Bedrock's Converse; IBM watsonx.ai; Cohere's FinishReason"),
    ("eos", "Together, openai/openai-dotnet#267; llama.cpp's stop_type"),
    ("eos_token", "Hugging Face TGI, dstackai/dstack#2229; IBM watsonx.ai's TextGenResult"),
    ("word", "llama.cpp's stop_type"),
    ("complete", "Cohere's FinishReason as COMPLETE"),
    ("completed", "OpenAI's Responses, openai-python response_status.py"),
    ("finished", "AWS Bedrock's Titan, completionReason"),
    ("stop_criteria_met", "AWS Bedrock's Titan, completionReason"),
    ("endoftext", "AI21's Jurassic at AWS Bedrock"),
    ("normal", "Baidu's ERNIE"),
)
_LENGTH = (
    ("length", "OpenAI, vLLM, Ollama"),
    ("max_tokens", "Anthropic; Gemini as MAX_TOKENS; Cohere's FinishReason"),
    ("max_output_tokens", "OpenAI's Responses: incomplete_details.reason"),
    ("max_messages", "OpenAI's Responses: incomplete_details.reason"),
    ("incomplete", "OpenAI's Responses, openai-python response_status.py"),
    ("model_length", "Mistral, pydantic/pydantic-ai#2844"),
    ("model_context_window_exceeded", "Anthropic; AWS Bedrock's Converse"),
    ("error_limit", "Cohere's FinishReason: the context is full"),
    ("token_limit", "IBM watsonx.ai's TextGenResult"),
    ("limit", "llama.cpp's stop_type"),
    ("continuation", "Gemini as CONTINUATION, google-genai's FinishReason"),
)
_TOOL_CALLS = (
    ("tool_calls", "OpenAI"),
    ("tool_call", "Cohere's second API as TOOL_CALL"),
    ("tool_use", "Anthropic; AWS Bedrock's Converse"),
    ("function_call", "OpenAI before tools"),
)
_CONTENT_FILTER = (
    ("content_filter", "OpenAI, Azure"),
    ("content_filtered", "AWS Bedrock's Converse and Titan"),
    ("guardrail_intervened", "AWS Bedrock's Converse"),
    ("sensitive", "Zhipu's GLM"),
    ("error_toxic", "Cohere's FinishReason"),
    ("safety", "Gemini as SAFETY, google-genai's FinishReason"),
    ("recitation", "Gemini as RECITATION, google-genai's FinishReason"),
    ("blocklist", "Gemini as BLOCKLIST, google-genai's FinishReason"),
    ("prohibited_content", "Gemini as PROHIBITED_CONTENT, google-genai's FinishReason"),
    ("spii", "Gemini as SPII, google-genai's FinishReason"),
    ("image_safety", "Gemini as IMAGE_SAFETY, google-genai's FinishReason"),
    ("image_prohibited_content", "Gemini as IMAGE_PROHIBITED_CONTENT, google-genai's FinishReason"),
    ("image_recitation", "Gemini as IMAGE_RECITATION, google-genai's FinishReason"),
    ("model_armor", "Gemini as MODEL_ARMOR, google-genai's FinishReason"),
    ("escalation", "Gemini as ESCALATION, google-genai's FinishReason"),
)
_REFUSAL = (("refusal", "Anthropic"),)
_BROKEN = (
    ("error", "Mistral, OpenRouter; Cohere's FinishReason; IBM watsonx.ai"),
    ("failed", "OpenAI's Responses, openai-python response_status.py"),
    ("queued", "OpenAI's Responses: it was not answered yet"),
    ("in_progress", "OpenAI's Responses: the same"),
    ("abort", "vLLM as FINISHED_ABORTED"),
    ("cancelled", "IBM watsonx.ai's TextGenResult; OpenAI's Responses"),
    ("user_cancel", "Cohere's FinishReason"),
    ("timeout", "TensorRT-LLM as TIMED_OUT; Cohere's FinishReason"),
    ("time_limit", "IBM watsonx.ai's TextGenResult"),
    ("network_error", "Zhipu's GLM"),
    ("insufficient_system_resource", "DeepSeek: Create Chat Completion"),
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
