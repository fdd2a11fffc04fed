"""Words of a text with which a server's chat template may change the speaker. Pure."""

from producer.contract.hygiene import template_mark
from producer.contract.requests import CompletionRequest

from ..model_catalog import NO_FACTS, Model
from ..settings import Link
from .dialects import DIALECTS, dialect_of


def harmful_mark(link: Link, facts: Model, request: CompletionRequest) -> str:
    """What of a text the link's server may take for a change of speaker, "" if there is nothing."""
    if link.adapter in ("anthropic", "gemini", "gemini-legacy", "simulator"):
        return ""
    # A model that is not known may be served by anything, whatever the link is called.
    known = facts != NO_FACTS
    openai = link.adapter in ("openai", "openai-responses")
    if openai and known and DIALECTS[dialect_of(link)].plain_texts:
        return ""
    for number, message in enumerate(request.messages):
        for place, text in message.texts():
            if mark := template_mark(text):
                return (
                    f"{mark} in messages[{number}].{place}, with which chat templates change "
                    "the speaker (producer.untrusted() defuses it)"
                )
    return ""
