"""The provider adapters. A new one is one file and one line here."""

from importlib import import_module

from .base import Call, Provider, Reply

__all__ = ["REGISTRY", "Call", "Provider", "Reply", "load"]

REGISTRY = {
    "gemini": f"{__name__}.gemini:Gemini",
    "gemini-legacy": f"{__name__}.gemini_legacy:GeminiLegacy",
    "anthropic": f"{__name__}.anthropic:Anthropic",
    "openai": f"{__name__}.openai:OpenAI",
    "openai-responses": f"{__name__}.openai_responses:OpenAIResponses",
    "simulator": f"{__name__}.simulator:Simulator",
}
"""Name in settings -> "module:Class", imported on first use.

Settings also accept "package.module:Class".
"""


def load(name: str) -> type[Provider]:
    """The adapter's class.

    Raises `LookupError` for a name that is neither registered nor importable.
    """
    module, _, cls = REGISTRY.get(name, name).partition(":")
    if not cls:
        known = ", ".join(sorted(REGISTRY))
        raise LookupError(f"no adapter called {name!r}: known are {known}")
    try:
        return getattr(import_module(module), cls)  # type: ignore[no-any-return]
    except (ImportError, AttributeError) as error:
        raise LookupError(f"adapter {name!r} cannot be imported: {error}") from None
