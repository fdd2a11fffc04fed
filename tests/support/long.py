"""Long answers at every vendor's default model, as slowly as they are written.

For the test that they are answered, and its benchmark.
"""

from typing import Any

from worker.model_catalog import Models

from . import all_vendors
from .ledger import ask

MODELS = Models.load()
LINKS = tuple(f"{name}:{MODELS.alias(name, 'fast')}" for name in ("openai", "anthropic", "gemini"))
KINDS = {"plain": (0, 3_000), "reasoned": (2_500, 500)}
"""Tokens of thinking, of which nothing is heard, and of the answer."""
CASES = [(link, kind) for link in LINKS for kind in KINDS]


def env(base_url: str) -> dict[str, str]:
    """All three vendors at `base_url`, everything else as it is by default."""
    return all_vendors.env(base_url, LINKS)


def writing(per_second: float, pieces: int) -> Any:
    """A script in which answers are written at that speed, each in about so many pieces; a server
    that is asked for fewer tokens stops there.
    """

    def script(request: dict, number: int) -> str:
        said = str(request.get("messages") or request["contents"])
        thought, written = next(KINDS[kind] for kind in KINDS if f"<{kind}>" in said)
        asked = _limit(request)
        name = "ok" if thought + written <= asked else "length"
        first, gap = thought / per_second, written / per_second / pieces
        out = min(thought + written, asked)
        return f"{name};first={first};gap={gap};reasoning={thought};out={out}"

    return script


def text(pieces: int) -> str:
    """In which an answer is written in as many pieces."""
    return "A piece" * pieces


def submit(complete: Any) -> list[Any]:
    """One job per case."""
    return [
        complete.delay(ask(f"<{kind}>"), f"user-{number}", model=link)
        for number, (link, kind) in enumerate(CASES)
    ]


def _limit(request: dict) -> int:
    config = request.get("generationConfig") or request
    names = ("max_completion_tokens", "max_tokens", "maxOutputTokens")
    return next(config[name] for name in names if name in config)
