"""Schemas of answers whose root OpenAI refuses (its guide "Structured model outputs"). Pure.

Servers of its API that are one's own may take them.
"""

from producer.contract.requests import CompletionRequest

from ..settings import Link
from .dialects import DIALECTS, dialect_of


def wrong_root(link: Link, request: CompletionRequest) -> str:
    """What of the answer's schema the API refuses, "" if nothing."""
    if link.adapter not in ("openai", "openai-responses"):
        return ""
    own = link.adapter == "openai"
    if own and not DIALECTS[dialect_of(link)].vendor:
        return ""
    wanted = request.response_format
    schema = wanted and wanted.json_schema
    if not schema:
        return ""
    root = schema.schema_
    is_object = root.get("type") == "object" or "$ref" in root
    if is_object and "anyOf" not in root:
        return ""
    return "response_format: a schema whose root is no object"
