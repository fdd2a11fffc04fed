"""A batch's progress on a terminal (the one place that uses rich), in plain lines, or as JSON for
machines.
"""

import dataclasses
import json
import sys
import time
from collections import deque
from contextlib import ExitStack

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as Bar

from ..batches import Batch
from ..ledger_replies import Progress

LOOK_S = 0.5
PLAIN_EVERY_S = 5.0
RATE_S = 15.0
"""Rates are over the last so many seconds."""


class Rates:
    """Ends, calls and tokens per second lately, and what follows for time and cost."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Progress]] = deque()

    def add(self, standing: Progress) -> None:
        self._seen.append((time.monotonic(), standing))
        while len(self._seen) > 2 and self._seen[-1][0] - self._seen[0][0] > RATE_S:
            self._seen.popleft()

    def per_s(self, name: str) -> float:
        (start, first), (end, last) = self._seen[0], self._seen[-1]
        moved: float = getattr(last, name) - getattr(first, name)
        return moved / (end - start) if end > start else 0.0

    def eta_s(self) -> float | None:
        """None while nothing moves or the total is unknown."""
        now, rate = self._seen[-1][1], self.per_s("ended")
        return (now.total - now.ended) / rate if now.total is not None and rate > 0 else None

    def abandoned(self) -> bool:
        """Whether whoever submits the batch seems to be gone: it is not complete, and nothing is
        added or left to do.
        """
        first, now = self._seen[0][1], self._seen[-1][1]
        idle = now.total is None and now.ended == now.submitted == first.submitted
        return idle and self._seen[-1][0] - self._seen[0][0] > RATE_S - 1

    def projected_usd(self) -> float | None:
        """The whole batch at the cost per item so far."""
        now = self._seen[-1][1]
        return now.cost_usd / now.ended * now.total if now.total and now.ended else None


def told(standing: Progress, rates: Rates) -> str:
    """What the bar itself does not say, in one line."""
    parts = [
        f"{standing.failed:,} failed" if standing.failed else "",
        f"{standing.cached:,} cached" if standing.cached else "",
    ]
    parts += [f"{rates.per_s('calls'):.1f} calls/s", f"{rates.per_s('tokens'):,.0f} tokens/s"]
    eta, projected = rates.eta_s(), rates.projected_usd()
    parts.append(f"ETA {_clock(eta)}" if eta is not None and not standing.over else "")
    parts.append(
        f"${standing.cost_usd:.4f}"
        + (f" of about ${projected:.4f}" if projected and not standing.over else "")
    )
    if standing.held_back and not standing.over:
        parts.append(
            "paused" if standing.held_back == "paused" else f"waiting for {standing.held_back}"
        )
    if standing.slowest_s > 10:
        parts.append(f"slowest {standing.slowest} ({standing.slowest_s:.0f} s)")
    return ", ".join(part for part in parts if part)


def watch(batch: Batch, as_json: bool) -> Progress:
    """Show the batch until it is over; its last standing. Raises `KeyboardInterrupt` as it comes."""
    rates, shown_at = Rates(), 0.0
    with ExitStack() as stack:
        bar = stack.enter_context(_bar()) if sys.stderr.isatty() and not as_json else None
        task = bar.add_task("", told="", total=None) if bar else None
        while True:
            standing = batch.progress()
            rates.add(standing)
            if bar is not None and task is not None:
                bar.update(
                    task, completed=standing.ended, total=standing.total, told=told(standing, rates)
                )
            elif time.monotonic() - shown_at >= PLAIN_EVERY_S or standing.over:
                shown_at = time.monotonic()
                click.echo(
                    _json(standing, rates)
                    if as_json
                    else f"{_count(standing)}: {told(standing, rates)}",
                    err=not as_json,
                )
            if standing.over or rates.abandoned():
                return standing
            time.sleep(LOOK_S)


def line(standing: Progress) -> str:
    """One batch in one line."""
    name = f"{standing.batch_id} {standing.label}".strip()
    rates = Rates()
    rates.add(standing)
    return f"{name} ({standing.user_id}), {standing.state}, {_count(standing)}: {told(standing, rates)}"


def _bar() -> Bar:
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
    )
    return Bar(*columns, console=Console(stderr=True))


def _count(standing: Progress) -> str:
    return f"{standing.ended:,} of {'so far ' if standing.total is None else ''}{standing.total or standing.submitted:,}"


def _json(standing: Progress, rates: Rates) -> str:
    more = {
        "eta_s": rates.eta_s(),
        "projected_usd": rates.projected_usd(),
        "calls_per_s": rates.per_s("calls"),
        "tokens_per_s": rates.per_s("tokens"),
    }
    return json.dumps(dataclasses.asdict(standing) | more)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
