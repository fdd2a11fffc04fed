"""`completions logs`: read the worker's JSON lines. No server is asked."""

import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

import click

from .servers import UserName

FILES = click.argument("files", nargs=-1, type=click.File(errors="replace"))
MICRO = 1_000_000
BY = {
    "user": "user_id",
    "model": "model",
    "provider": "provider",
    "lane": "lane",
    "day": "timestamp",
}


AMOUNTS = ("input_tokens", "output_tokens", "cost_usd", "maybe_billed_usd")
WRAPPED_IN = ("log", "MESSAGE", "message", "textPayload", "jsonPayload")
"""Docker's json-file driver, `journalctl -o json` (of colours and the like it makes lists of
bytes), Fluent Bit, Google Cloud.
"""
BRACES = 4
"""So many may be a record's beginning: prefixes have some, too."""
DECODER = json.JSONDecoder()


@click.group()
def logs() -> None:
    """Sums and lines of log files, or of standard input. Lines that are no records of ours are
    passed over.
    """


@logs.command("sum")
@FILES
@click.option("--by", "what", type=click.Choice(sorted(BY)), help="One line for each.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def sum_(files: tuple[TextIO, ...], what: str | None, as_json: bool) -> None:
    """Calls, failures, tokens and dollars of provider calls. What Docker, Kubernetes and journald
    put before a line, or around it, is passed over; how many lines are no records of ours is told.

    \b
    completions logs sum worker.log --by user
    docker compose logs worker | completions logs sum
    journalctl -u completions | completions logs sum
    """
    sums: defaultdict[str, _Sum] = defaultdict(_Sum)
    skipped = 0
    for line in _lines(files):
        if line is None or not _can_be_summed(line):
            skipped += 1
        elif line.get("event") == "provider_call":
            sums[_name(line, what)].add(line)
    for name, total in _in_order(sums, what):
        if as_json:
            click.echo(json.dumps({what or "all": name} | total.fields()))
        else:
            click.echo(f"{name}  {total}")
    if skipped:
        click.echo(f"{skipped:,} lines are no records of ours and were skipped.", err=True)
    if not sums:
        click.echo("No provider call in these lines.", err=True)


@logs.command()
@FILES
@click.option("--job", help="Lines of this job, libraries' lines too.")
@click.option("--user", type=UserName(), help="Lines of this user's jobs.")
@click.option("--error", help="Calls and jobs that ended in this fault or error.")
@click.option("--event", help="For example provider_call or job_ended.")
@click.option("--slow", "slow_ms", type=int, help="Calls that took so many milliseconds or longer.")
def grep(
    files: tuple[TextIO, ...],
    job: str | None,
    user: str | None,
    error: str | None,
    event: str | None,
    slow_ms: int | None,
) -> None:
    """Print the JSON lines that match everything asked. Exit code 1: none did.

    \b
    completions logs grep worker.log --job 1b9d6bcd-...
    completions logs grep worker.log --event job_ended --error ProvidersExhausted | jq .user_id
    """
    fields = {"job_id": job, "user_id": user, "error": error, "event": event}
    wanted = {name: value for name, value in fields.items() if value is not None}
    found = False
    for line in filter(None, _lines(files)):
        took_ms = line.get("latency_ms") or 0
        slow = slow_ms is None or (isinstance(took_ms, int) and took_ms >= slow_ms)
        if slow and all(line.get(name) == value for name, value in wanted.items()):
            click.echo(json.dumps(line))
            found = True
    raise SystemExit(0 if found else 1)


@dataclass
class _Sum:
    """Integer micro-dollars: sums of dollars as floats would differ from the ledger's."""

    calls: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    micro_usd: int = 0
    maybe_micro_usd: int = 0
    estimated_micro_usd: int = 0
    """Of `micro_usd`: by a worker's estimate."""

    def add(self, line: dict[str, Any]) -> None:
        self.calls += 1
        self.failed += bool(line.get("error"))
        self.input_tokens += line.get("input_tokens") or 0
        self.output_tokens += line.get("output_tokens") or 0
        micro_usd = round((line.get("cost_usd") or 0) * MICRO)
        self.micro_usd += micro_usd
        if line.get("cost_basis") == "estimated":
            self.estimated_micro_usd += micro_usd
        self.maybe_micro_usd += round((line.get("maybe_billed_usd") or 0) * MICRO)

    def fields(self) -> dict[str, Any]:
        return {
            "calls": self.calls,
            "failed": self.failed,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": self.micro_usd / MICRO,
            "estimated_usd": self.estimated_micro_usd / MICRO,
            "maybe_billed_usd": self.maybe_micro_usd / MICRO,
        }

    def __str__(self) -> str:
        calls = f"{self.calls:,} calls ({self.failed:,} failed)"
        tokens = f"{self.input_tokens:,} + {self.output_tokens:,} tokens"
        cost = f"${self.micro_usd / MICRO:,.6f}"
        if self.estimated_micro_usd:
            cost += f" (${self.estimated_micro_usd / MICRO:,.6f} of it estimated)"
        if self.maybe_micro_usd:
            cost += f" and perhaps ${self.maybe_micro_usd / MICRO:,.6f}"
        return f"{calls}, {tokens}, {cost}"


def _in_order(sums: dict[str, _Sum], what: str | None) -> list[tuple[str, _Sum]]:
    """Days in order, everything else with the dearest first."""
    if what == "day":
        return sorted(sums.items())
    return sorted(sums.items(), key=lambda item: (-item[1].micro_usd, item[0]))


def _lines(files: tuple[TextIO, ...]) -> Iterator[dict[str, Any] | None]:
    """Each line's JSON object; None for one without."""
    for file in files or (sys.stdin,):
        for text in file:
            if text.strip():
                yield _object(text)


def _object(text: str) -> dict[str, Any] | None:
    """Also after a prefix ("worker-1  | ", "2026-11-27T16:00:00Z stdout F ", "host unit[7]: "),
    before colours, and within the object of a log driver. None for what has no event.
    """
    at = -1
    for _ in range(BRACES):
        at = text.find("{", at + 1)
        if at < 0:
            return None
        try:
            found, _ = DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            continue
        if record := found if "event" in found else _wrapped(found):
            return dict(record)
    return None


def _wrapped(found: dict[str, Any]) -> dict[str, Any] | None:
    for field in WRAPPED_IN:
        inner = found.get(field)
        if isinstance(inner, dict) and "event" in inner:
            return inner
        if isinstance(inner, list) and all(type(each) is int for each in inner):
            inner = bytes(each & 0xFF for each in inner).decode(errors="replace")
        if isinstance(inner, str) and (record := _object(inner)):
            return record
    return None


def _can_be_summed(line: dict[str, Any]) -> bool:
    """Whether it is a record of ours, and not only called like one."""
    amounts = [line.get(name) for name in AMOUNTS]
    are_numbers = all(each is None or isinstance(each, int | float) for each in amounts)
    return "event" in line and are_numbers and all(math.isfinite(each or 0) for each in amounts)


def _name(line: dict[str, Any], what: str | None) -> str:
    """The sum that a record belongs to."""
    if what is None:
        return "all"
    value = str(line.get(BY[what]) or "-")
    if what == "day":
        return value[: len("2026-11-01")]
    return value
