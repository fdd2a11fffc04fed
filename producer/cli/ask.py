"""`completions ask`: one question from the command line, answered by the fleet."""

import sys
from contextlib import suppress
from typing import Any

import click

from ..client import complete
from ..contract.completions import Completion
from ..jobs import Job
from ..ledger_replies import JobStatus
from . import costs
from .errors import job_errors_as_messages, trouble

TELL_S = 2.0
"""After so long it is said what an answer waits for."""


@click.command()
@click.argument("prompt")
@click.option(
    "--user", default="cli", show_default=True, help="Whose limits and budget it counts against."
)
@click.option("--model", help="A link or model of the chain; default: the whole chain.")
@click.option("--temperature", type=float, help="0 makes the answer repeatable and cacheable.")
@click.option("--max-tokens", type=int)
@click.option(
    "--lane", type=click.Choice(["interactive", "batch"]), default="interactive", show_default=True
)
@click.option(
    "--timeout",
    type=float,
    default=120.0,
    show_default=True,
    help="Seconds to wait; the job goes on after them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole completion as JSON.")
def ask(
    prompt: str,
    user: str,
    model: str | None,
    temperature: float | None,
    max_tokens: int | None,
    lane: str,
    timeout: float,
    as_json: bool,
) -> None:
    """Ask PROMPT ("-" reads standard input) and print the answer.

    Exit codes: 0 answered, 1 the job ended in an error, 3 no answer in time (its id is printed; the
    job goes on).

    \b
    completions ask "Name three uses of Redis" --temperature 0
    """
    text = prompt
    if prompt == "-":
        text = sys.stdin.read()
    if not text.strip():
        raise click.UsageError("there is no question: the prompt is empty")
    options: dict[str, Any] = {"model": model, "temperature": temperature}
    options |= {"max_tokens": max_tokens, "lane": lane}
    with job_errors_as_messages():
        job = complete.delay([{"role": "user", "content": text}], user, **options)
        completion = _value(job, timeout)
    if as_json:
        click.echo(completion.model_dump_json(indent=2))
        return
    click.echo(completion.text)
    click.echo(f"[{_summary(completion)}, job {job.id}]", err=True)


def _summary(completion: Completion) -> str:
    """Who answered, at what cost and how fast."""
    link = f"{completion.provider}:{completion.model}"
    if completion.cached:
        link += " cached"
    return f"{link} {costs.of_answer(completion)} {completion.latency_ms} ms"


def _value(job: Job, timeout: float) -> Completion:
    """The answer; ends the command if there is none yet."""
    try:
        with suppress(TimeoutError):
            return job.value(min(timeout, TELL_S))
        if hinder := _hinder(job.progress()):
            click.echo(hinder, err=True)
        return job.value(max(timeout - TELL_S, 0))
    except TimeoutError:
        click.echo(
            f"No answer within {timeout} s. Look again with: completions status {job.id}", err=True
        )
    except KeyboardInterrupt:
        click.echo(
            f"\nThe job goes on. Look again with: completions status {job.id}; "
            f"end it with: completions cancel {job.id}",
            err=True,
        )
    sys.exit(3)


def _hinder(standing: JobStatus) -> str:
    """Why there is no answer yet, as far as that is somebody's fault; "" if it is nobody's."""
    if standing.waits_for:
        return f"It waits: {trouble(standing.waits_for)}"
    if not standing.history:
        return ""
    last = standing.history[-1]
    fix = "; completions check --live says what to do" if last.fault == "misconfigured" else ""
    return f"It is tried again: {last}{fix}"
