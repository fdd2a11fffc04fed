"""What can be wrong with the semantic cache. Pure."""

from collections.abc import Iterator

from ..settings import HealthSettings
from .snapshot import FleetSnapshot
from .symptoms import Symptom


def semantic(snapshot: FleetSnapshot, settings: HealthSettings) -> Iterator[Symptom]:
    """A scope that serves nothing any more, because it errs more than is stated; an index that is
    away.
    """
    if count := snapshot.recent.events["index_failures"]:
        yield Symptom(
            f"Chroma did not answer {count:,} times; nothing near is found while it is away. "
            "Fix: check LLM_SEMANTIC_INDEX",
            about="index",
        )
    for each in snapshot.near:
        if each.stopped:
            low, high = each.error
            yield Symptom(
                f"near questions of {each.name} ({each.scope}): {each.wrong:,} of {each.checked:,} "
                f"answers were wrong, {low:.1%} to {high:.1%}, and {each.stated:.1%} is stated; "
                "none is served there. See: completions cache semantic",
                about=each.scope,
            )
