"""What `completions summarize` would take: counted, told and agreed to before anything is paid."""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from statistics import median

import click

from ..summaries import Estimate
from .bars import shown_time
from .errors import named_failure, trouble
from .reading import Documents

LARGE = 100
"""A document that is so many times as long as the middle one is asked about by name."""

NAMED = 20
"""Documents that cannot be read and are named."""


@dataclass
class Outlook:
    """The sum, and what each document adds to it."""

    total: Estimate = field(default_factory=Estimate)
    each: dict[str, Estimate] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    """What cannot be summarised and why, a line for each."""

    def add(self, found: Estimate) -> None:
        """`found`: the sum with one more document."""
        before = self.total
        self.total = found
        if found.name_wrong:
            self.wrong.append(named_failure(found.name, found.name_wrong))
        self.each[found.name] = Estimate(
            documents=found.documents - before.documents,
            calls=found.calls - before.calls,
            tokens=found.name_tokens,
            low_usd=found.low_usd - before.low_usd,
            high_usd=found.high_usd - before.high_usd,
        )

    def large(self) -> list[str]:
        """The documents that are far longer than the others."""
        most = LARGE * self.middle()
        return [name for name, each in self.each.items() if each.tokens > most]

    def middle(self) -> float:
        """The median of their tokens."""
        return median([each.tokens for each in self.each.values() if each.documents] or [0])

    def leave_out(self, name: str) -> None:
        """As if it had not been counted."""
        one = self.each.pop(name)
        self.total = replace(
            self.total,
            documents=self.total.documents - one.documents,
            calls=self.total.calls - one.calls,
            tokens=self.total.tokens - one.tokens,
            low_usd=self.total.low_usd - one.low_usd,
            high_usd=self.total.high_usd - one.high_usd,
        )


class Waits:
    """Tells what counting waits for, each trouble once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def __call__(self, reason: str) -> None:
        cause = reason.partition(" since ")[0]
        if cause not in self._told:
            self._told.add(cause)
            click.echo(f"The documents are not counted yet: {trouble(reason)}", err=True)


def counted(estimates: Iterator[Estimate], count: int) -> Outlook:
    """What `estimates` add up to. Shows on a terminal how far it is."""
    outlook = Outlook()
    for found in estimates:
        outlook.add(found)
        if sys.stderr.isatty():
            so_far = f"{found.documents + found.wrong:,} of {count:,}"
            print(f"\rcounting: {so_far}", end="", file=sys.__stderr__)
    if not outlook.each:
        raise click.ClickException("there are no documents")
    if sys.stderr.isatty():
        click.echo(err=True)
    return outlook


def agree(outlook: Outlook, documents: Documents, budget: float | None) -> None:
    """Show what it would take, and end the command unless the answer is yes.

    What is far longer than the rest is left out of `documents` unless it is wanted.
    """
    documents.tell_skipped()
    documents.tell_left_out()
    for failure in outlook.wrong[:NAMED]:
        click.echo(failure, err=True)
    if len(outlook.wrong) > NAMED:
        click.echo(f"and {len(outlook.wrong) - NAMED:,} more that cannot be read", err=True)
    if not outlook.total.documents:
        raise click.ClickException("nothing was paid, for no document can be summarised")
    middle = outlook.middle()
    for name in outlook.large():
        one = outlook.each[name]
        cost = f"{one.calls:,} calls, ${one.low_usd:.4f} to ${one.high_usd:.4f}"
        size = f"{one.tokens:,} tokens, {one.tokens / max(1, middle):,.0f} times the median"
        if not _confirmed(f"{name}: {size}, {cost}. Include it?"):
            outlook.leave_out(name)
            documents.leave_out(name, "left out by you")
    for line in told(outlook.total, budget):
        click.echo(line, err=True)
    if outlook.total.documents and not _confirmed("Go on?"):
        click.echo("Nothing was paid.", err=True)
        sys.exit(0)


def _confirmed(question: str) -> bool:
    """Raises `click.ClickException` if there is nobody who answers."""
    try:
        return click.confirm(question, default=True, err=True)
    except click.Abort:
        click.echo(err=True)
        fix = "" if sys.stdin.isatty() else ": standard input has ended. Fix: --yes"
        raise click.ClickException(f"nothing was paid, for there was no answer{fix}") from None


def told(found: Estimate, budget: float | None) -> Iterator[str]:
    """How many, how much, and how long, in lines."""
    number = f"{found.documents:,} documents"
    if found.wrong:
        number += f" ({found.wrong:,} cannot be read and are reported)"
    yield f"{number}, {found.calls:,} calls, {found.tokens:,} tokens"
    cost = f"about ${found.low_usd:.4f}, at most ${found.high_usd:.4f}, less what is cached"
    if not found.price_known:
        cost += " (no price is known: by LLM_UNKNOWN_PRICE)"
    if budget is not None:
        cost += f"; it stops at ${budget:.4f}"
    yield f"cost: {cost}"
    if found.left_usd is not None:
        left = f"${found.left_usd:.4f} today"
        if found.left_usd < found.high_usd:
            left += ", which may not be enough: what does not fit waits for tomorrow"
        yield f"the budgets leave {left}"
    if found.left_tokens is not None:
        yield f"the limits leave {found.left_tokens:,} tokens this hour"
    yield f"time: {_time(found)}"


def _time(found: Estimate) -> str:
    """By what calls took lately, and by the limits of the user, the group and the fleet."""
    parts = []
    if found.tokens_per_hour and found.left_tokens is not None:
        hours = (found.tokens - found.left_tokens) / found.tokens_per_hour
        if hours > 0:
            parts.append(f"{hours:,.1f} hours by {found.tokens_per_hour:,} tokens an hour")
    if found.usd_per_day and found.left_usd is not None:
        days = (found.high_usd - found.left_usd) / found.usd_per_day
        if days > 0:
            parts.append(f"up to {days:,.1f} days by ${found.usd_per_day:,.4f} a day")
    limits = "at least " + ", ".join(parts) if parts else "no limit of yours holds it up"
    if found.call_s is None or not found.at_once:
        return f"no call was measured yet; {limits}"
    took_s = math.ceil(found.calls / found.at_once) * found.call_s
    pace = f"{found.call_s:.1f} s a call lately, {found.at_once:,} at once"
    return f"about {shown_time(math.ceil(took_s))} ({pace}); {limits}"
