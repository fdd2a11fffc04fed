"""A batch's progress: on a terminal (the one place that uses rich), as plain lines, or as JSON."""

import dataclasses
import json
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

from ..batch_items import Item
from ..batches import Batch
from ..contract.identifiers import visible
from ..ledger_replies import Progress
from ..patience import Patience
from . import costs
from .interrupts import Interrupts

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

POLL_S = 0.5
PLAIN_EVERY_S = 5.0
RATE_S = 15.0
"""Rates are over the last so many seconds."""
SLOW_S = 10
"""A job that runs longer than this is named."""


class _Reading(NamedTuple):
    at_s: float
    progress: Progress


class Rates:
    """Ends, calls and tokens per second over the last `RATE_S`, and what follows from them."""

    def __init__(self) -> None:
        self._readings: deque[_Reading] = deque()

    def add(self, progress: Progress) -> None:
        """The progress as it is now."""
        self._readings.append(_Reading(time.monotonic(), progress))
        while len(self._readings) > 2 and self._duration_s > RATE_S:
            self._readings.popleft()

    def per_s(self, name: str) -> float:
        """Of a counter of `Progress`."""
        if self._duration_s <= 0:
            return 0.0
        difference: float = getattr(self._last, name) - getattr(self._first, name)
        return difference / self._duration_s

    def eta_s(self) -> float | None:
        """Seconds to the end. None while nothing ends or the total is unknown."""
        rate = self.per_s("ended")
        if self._last.total is None or rate <= 0:
            return None
        return (self._last.total - self._last.ended) / rate

    def projected_usd(self) -> float | None:
        """The whole batch at the cost per item so far. None while that is unknown."""
        last = self._last
        if not last.total or not last.ended:
            return None
        return last.cost_usd / last.ended * last.total

    def abandoned(self) -> bool:
        """Whether its submission seems to have stopped.

        Then it is not complete, and for a while nothing was added although nothing was left to do.
        """
        last = self._last
        idle = last.ended == last.submitted == self._first.submitted
        return last.total is None and idle and self._duration_s > RATE_S - 1

    @property
    def _first(self) -> Progress:
        return self._readings[0].progress

    @property
    def _last(self) -> Progress:
        return self._readings[-1].progress

    @property
    def _duration_s(self) -> float:
        return self._readings[-1].at_s - self._readings[0].at_s


def details(progress: Progress, rates: Rates) -> str:
    """What the bar itself does not show, in one line."""
    parts = []
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if progress.cached:
        parts.append(f"{progress.cached:,} cached")
    parts.append(f"{rates.per_s('calls'):.1f} calls/s")
    parts.append(f"{rates.per_s('tokens'):,.0f} tokens/s")
    if progress.over:
        parts.append(_cost(progress))
    else:
        parts += _outlook(progress, rates)
    if progress.slowest_s > SLOW_S:
        parts.append(f"slowest {progress.slowest} ({progress.slowest_s:.0f} s)")
    return ", ".join(parts)


def _outlook(progress: Progress, rates: Rates) -> list[str]:
    """Of a batch that is not over: when, at what cost, and what it waits for."""
    parts = []
    eta_s = rates.eta_s()
    if eta_s is not None:
        parts.append(f"ETA {shown_time(eta_s)}")
    cost = _cost(progress)
    projected_usd = rates.projected_usd()
    if projected_usd:
        cost += f" of about ${projected_usd:.4f}"
    parts.append(cost)
    if progress.held_back == "paused":
        parts.append("paused")
    elif progress.waits_for:
        parts.append(progress.waits_for)
    elif progress.held_back:
        parts.append(f"waiting for {progress.held_back}")
    return parts


def _cost(progress: Progress) -> str:
    return costs.shown(
        progress.cost_usd, progress.estimated_usd, progress.possibly_billed_usd, digits=4
    )


class _OnTerminal:
    """A bar on standard error."""

    def __init__(self, bar: "Bar") -> None:
        self._bar = bar
        self._task = bar.add_task("", details="", total=None)

    def update(self, progress: Progress, rates: Rates) -> None:
        self._bar.update(
            self._task,
            completed=progress.ended,
            total=progress.total,
            details=visible(details(progress, rates), keep=""),
        )


def _waited_for(progress: Progress) -> str:
    """Without how long it has lasted, which changes at every look."""
    return progress.waits_for.partition(" since ")[0] or progress.held_back


class _Lines:
    """A line every `PLAIN_EVERY_S`: JSON on standard output, or text on standard error.

    While nothing moves, nothing is written but once what is waited for.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._shown_at = 0.0
        self._shown: tuple[object, ...] = ()
        self._waited_for: set[str] = set()
        """All that was told since something moved: what holds a batch back may alternate."""

    def update(self, progress: Progress, rates: Rates) -> None:
        now = time.monotonic()
        if now - self._shown_at < PLAIN_EVERY_S and not progress.over:
            return
        standing = (progress.submitted, progress.ended, progress.state)
        if standing != self._shown:
            self._waited_for.clear()
        elif _waited_for(progress) in self._waited_for:
            return
        self._shown_at = now
        self._shown = standing
        self._waited_for |= {_waited_for(progress), ""}
        if self._as_json:
            click.echo(_json(progress, rates))
        else:
            click.echo(f"{_count(progress)}: {details(progress, rates)}", err=True)


def watch(
    batch: Batch,
    as_json: bool,
    on_ends: Callable[[list[Item]], None] | None = None,
    is_filled: Callable[[], bool] = lambda: True,
    expected: int | None = None,
) -> Progress:
    """Show the batch until it is over; returns its last progress. `KeyboardInterrupt` ends it.

    `on_ends` is called at each look, with what has ended since the last one. `is_filled`: whether
    this process submits no more of it; `expected`: how many items it will have then.
    """
    rates = Rates()
    ended = 0
    with ExitStack() as stack:
        interrupts = stack.enter_context(Interrupts())
        insist = Patience(interrupts.pause).insist
        shown: _OnTerminal | _Lines = _Lines(as_json)
        bar = _bar() if sys.stderr.isatty() and not as_json else None
        if bar:
            shown = _OnTerminal(stack.enter_context(bar))
        progress = batch.progress()
        while True:
            standing = progress
            if expected and progress.total is None and not is_filled():
                standing = dataclasses.replace(progress, total=expected)
            rates.add(standing)
            shown.update(standing, rates)
            if on_ends:
                items, ended = insist(partial(batch.ended_after, ended))
                on_ends(items)
            if progress.over or (is_filled() and rates.abandoned()):
                return progress
            interrupts.pause(POLL_S)
            progress = insist(batch.progress)


def line(progress: Progress) -> str:
    """One batch in one line."""
    name = f"{progress.batch_id} {progress.label}".strip()
    rates = Rates()
    rates.add(progress)
    standing = f"{_count(progress)}: {details(progress, rates)}"
    return f"{name} ({progress.user_id}), {progress.state}, {standing}"


def _bar() -> "Bar | None":
    """None without the extra `bars`: plain lines say as much."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
        from rich.progress import Progress as Bar
    except ImportError:
        return None
    return Bar(
        SpinnerColumn(),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[details]}", markup=False),
        console=Console(file=sys.__stderr__),
    )


def _count(progress: Progress) -> str:
    if progress.total is None:
        return f"{progress.ended:,} of so far {progress.submitted:,}"
    return f"{progress.ended:,} of {progress.total or progress.submitted:,}"


def _json(progress: Progress, rates: Rates) -> str:
    more = {
        "eta_s": rates.eta_s(),
        "projected_usd": rates.projected_usd(),
        "calls_per_s": rates.per_s("calls"),
        "tokens_per_s": rates.per_s("tokens"),
    }
    return json.dumps(dataclasses.asdict(progress) | more)


def shown_time(seconds: float) -> str:
    """Minutes and seconds, 2:05, or with the hours before, 1:02:05."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}"
