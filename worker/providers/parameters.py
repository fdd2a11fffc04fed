"""Which parameters of a request a provider link cannot be told, and the request without them. Pure.

By the table of fates, by what is known of the model and of the server's dialect.
"""

from collections.abc import Iterator, Set
from typing import Any, NamedTuple

from producer.contract.requests import CompletionRequest

from . import load
from .dialects import DIALECTS, dialect_of
from .fates import APIS, CHANGES_NOTHING, FATES, MOST_STOPS, NO_STOPS, SAYS_NOTHING
from .parameter_rules import Target, in_the_way


class Unfit(NamedTuple):
    """A parameter that the link cannot be told, and why in a few words."""

    name: str
    reason: str


def unfit(request: CompletionRequest, target: Target) -> list[Unfit]:
    """Everything of `request` that would not be as it says at the link. An adapter of one's own
    says in `parameters` which it takes.
    """
    if target.api == "simulator":
        return []
    found = list(_stops(request, target))
    for name in sorted(request.said - {"drop_unsupported"}):
        value = getattr(request, name)
        if value in SAYS_NOTHING.get(name, ()):
            continue
        if name == "provider_options" and not value.get(target.link.provider):
            continue
        reason = _adapter_lacks(name, target) or in_the_way(name, request, target)
        if reason:
            found.append(Unfit(name, reason))
    return found


def fitting(request: CompletionRequest, target: Target) -> CompletionRequest:
    """The request without what the link cannot be told."""
    names = {each.name for each in unfit(request, target)}
    fewer = request
    if "stop" in names:
        kept = request.stop
        if target.api == "anthropic":
            kept = tuple(each for each in kept if each.strip())
        fewer = request.model_copy(update={"stop": kept[: _most_stops(target)]})
    return dropped(fewer, names)


def dropped(request: CompletionRequest, names: Set[str]) -> CompletionRequest:
    """The request without those of its parameters."""
    changes: dict[str, Any] = dict.fromkeys(request.said & names)
    if "logprobs" in changes:
        changes["top_logprobs"] = None
    return request.model_copy(update=changes) if changes else request


def _adapter_lacks(name: str, target: Target) -> str:
    if target.api == "openai":
        dialect = dialect_of(target.link)
        lacks = name in DIALECTS[dialect].lacks and name not in CHANGES_NOTHING
        return f"{name} (its dialect is {dialect})" if lacks else ""
    if target.api not in APIS:
        taken: frozenset[str] = getattr(load(target.api), "parameters", frozenset())
        return "" if name in taken else name
    fate = FATES[name][target.api]
    return name if fate.how == "refused" else ""


def _stops(request: CompletionRequest, target: Target) -> Iterator[Unfit]:
    if not request.stop:
        return
    most = _most_stops(target)
    if most is not None and len(request.stop) > most:
        yield Unfit("stop", f"{len(request.stop)} stop sequences (it takes {most or 'none'})")
    if target.api == "anthropic" and any(not each.strip() for each in request.stop):
        yield Unfit("stop", "a stop sequence of white space")


def _most_stops(target: Target) -> int | None:
    api = target.api
    if api == "openai":
        api = dialect_of(target.link)
    if target.is_vendor and target.link.model.startswith(NO_STOPS):
        return 0
    return MOST_STOPS.get(api)
