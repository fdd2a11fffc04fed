"""The semantic cache's scopes as metrics: those that do most. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..semantic.report import ScopeReport

MOST = 20
"""Scopes that are told: where the cache is each user's own, there are as many as users."""


class Family(NamedTuple):
    """Gauges: old evidence fades. `values`: by their labels."""

    name: str
    text: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]


def near_families(reports: Sequence[ScopeReport]) -> Iterator[Family]:
    most = sorted(reports, key=lambda each: (-each.hits - each.would_hit, -each.entries))[:MOST]
    for name, text, of in (
        ("entries", "Questions whose answers can be given to near ones.", _entries),
        (
            "stopped",
            "1: nothing is served, for the measured error passes the stated one.",
            _stopped,
        ),
    ):
        values: dict[tuple[str, ...], float] = {(each.scope,): of(each) for each in most}
        yield Family(f"completions_near_{name}", text, ("scope",), values)
    for name, text, told in (
        (
            "pairs",
            "hits: served; would: asked for, and would have been; labelled: known to be right or "
            "wrong; checked, wrong: of hits and would, those that are known, and were wrong.",
            _pairs,
        ),
        (
            "error_ratio",
            "Of checked: both ends of the 95 % interval of what was wrong, and the stated rate.",
            _error,
        ),
        ("usd", "What hits had cost (saved), and what would have been them.", _dollars),
    ):
        counts: dict[tuple[str, ...], float] = {}
        for each in most:
            counts |= {(each.scope, what): count for what, count in told(each).items()}
        yield Family(f"completions_near_{name}", text, ("scope", "what"), counts)


def _entries(report: ScopeReport) -> float:
    return report.entries


def _stopped(report: ScopeReport) -> float:
    return float(report.stopped)


def _pairs(report: ScopeReport) -> dict[str, float]:
    return {
        "hits": report.hits,
        "would": report.would_hit,
        "labelled": report.labelled,
        "checked": report.checked,
        "wrong": report.wrong,
    }


def _error(report: ScopeReport) -> dict[str, float]:
    lower, upper = report.error
    return {"lower": lower, "upper": upper, "stated": report.stated}


def _dollars(report: ScopeReport) -> dict[str, float]:
    return {"saved": report.saved_usd, "would_save": report.would_save_usd}
