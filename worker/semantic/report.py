"""What people see of the semantic cache: per scope, what it knows, serves and saves. It names no
user and shows no question.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..ledger.connection import Keys, Redis
from .bound import interval
from .decision import Rule
from .evidence import Pool

MOST = 100
"""Scopes that are read: those used last."""
SHOWN = 12
"""Characters of a scope's name in the report."""


@dataclass(frozen=True)
class ScopeReport:
    """Of one scope. Dollars are those of the answers that were not asked for."""

    scope: str
    name: str
    """Namespace and model."""
    entries: int
    hits: int
    would_hit: int
    """Of the answers that were asked for to learn from: how many would have been served."""
    labelled: int
    wrong: int
    """Of those that would have been or were served, and were labelled or reported."""
    checked: int
    """How many those are."""
    stated: float
    """The rate that the workers state, which is to be kept."""
    saved_usd: float
    would_save_usd: float
    reported: int
    judge_wrong: int
    """Wrong pairs to which the judge said yes."""
    judge_checked: int
    """Wrong pairs about which it was asked."""

    @property
    def error(self) -> tuple[float, float]:
        """The 95 % interval of the measured error; (0, 1) where nothing is known."""
        return interval(self.wrong, self.checked)

    @property
    def stopped(self) -> bool:
        """Whether the measured error passes the stated one, so that nothing is served."""
        pool = Pool({"served:wrong": self.wrong, "served:right": self.checked - self.wrong})
        return self.checked > 0 and Rule(self.stated, judged=True).stopped(pool)

    def fields(self) -> dict[str, Any]:
        low, high = self.error
        return vars(self) | {"error_low": low, "error_high": high, "stopped": self.stopped}


def reports(redis: Redis, keys: Keys) -> list[ScopeReport]:
    """Of the scopes that were used last, the latest first. Raises `ERRORS`."""
    scopes = [str(each) for each in redis.zrevrange(keys.near_scopes, 0, MOST - 1)]
    with redis.pipeline(transaction=False) as pipe:
        for scope in scopes:
            pipe.hgetall(keys.near_counts(scope))
            pipe.hlen(keys.near_entries(scope))
        found = pipe.execute() if scopes else []
    rows = zip(scopes, found[::2], found[1::2], strict=True)
    return [_report(scope, texts, entries) for scope, texts, entries in rows]


def _report(scope: str, texts: Mapping[str, str], entries: int) -> ScopeReport:
    counts = {name: int(text) for name, text in texts.items() if text.isdigit()}
    pool = Pool(counts)
    wrong, checked = pool.measured
    judge_wrong, judge_checked = pool.false_yes
    return ScopeReport(
        scope=scope[:SHOWN],
        name=texts.get("name", ""),
        entries=entries,
        hits=counts.get("hits", 0),
        would_hit=counts.get("would", 0),
        labelled=pool.labelled,
        wrong=wrong,
        checked=checked,
        stated=float(texts.get("stated", 0.01)),
        saved_usd=counts.get("saved_micro", 0) / 1_000_000,
        would_save_usd=counts.get("would_micro", 0) / 1_000_000,
        reported=counts.get("reported", 0),
        judge_wrong=judge_wrong,
        judge_checked=judge_checked,
    )
