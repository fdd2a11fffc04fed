"""`completions exam`: does the prompt still pass, and what changed since the last run?"""

import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from ..batches import Batch
from ..contract.identifiers import visible
from ..exam.junit import junit
from ..exam.last_run import LastRun, lines_of
from ..exam.runs import Result, Run, Watch, hold
from ..exam.suite import Suite, read_suite
from .bars import watch
from .errors import job_errors_as_messages
from .money import Dollars
from .out import check_file, replaced

WRITTEN = click.Path(dir_okay=False, path_type=Path)
BELOW, INTERRUPTED = 1, 3


@click.command()
@click.argument("suite", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--prompt",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the prompt, instead of the suite's.",
)
@click.option(
    "--min-pass",
    type=click.FloatRange(0, 1),
    help="The share of inputs that must pass. Default: the suite's, or 1.",
)
@click.option("--user", default="exam", show_default=True, help="Whose limits it counts against.")
@click.option("--budget", type=Dollars(), help="Dollars that all of it may cost at most.")
@click.option("--fresh", is_flag=True, help="Take no cached answer: time and cost are new.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=900.0,
    show_default=True,
    help="Seconds after which it is given up.",
)
@click.option("--junit", "junit_xml", type=WRITTEN, help="Write JUnit XML there.")
@click.option("--last", type=WRITTEN, help="The last run's results. Default: beside the suite.")
def exam(
    suite: Path,
    prompt: Path | None,
    min_pass: float | None,
    user: str,
    budget: float | None,
    fresh: bool,
    timeout: float,
    junit_xml: Path | None,
    last: Path | None,
) -> None:
    """Ask the inputs of SUITE (.yaml, .json or .jsonl) and check every answer: docs/exam.md.

    Answers are cached: only what changed is paid again. The results take the place of the last
    run's. Exit codes: 0 passed, 1 below the bar or an error, 3 interrupted.

    \b
    completions exam suite.yaml --prompt prompts/v2.txt --min-pass 0.95 --junit exam.xml
    """
    with job_errors_as_messages():
        asked = _suite(suite, prompt)
        before = LastRun.read(last := last or suite.with_name(f"{suite.stem}.last.jsonl"))
        for file in filter(None, (junit_xml, last)):
            check_file(file)
        bar = asked.min_pass if min_pass is None else min_pass
        count = len(asked.questions)
        click.echo(f"{asked.name}: {count:,} inputs, {bar:.1%} of them must pass", err=True)
        try:
            run = hold(asked, user, _watching(timeout), budget, fresh)
        except KeyboardInterrupt:
            click.echo("\nInterrupted: what was not answered is cancelled", err=True)
            sys.exit(INTERRUPTED)
    for line in _told(run, before, bar):
        click.echo(line)
    if junit_xml:
        with replaced(junit_xml) as report:
            report.write(junit(run))
    with replaced(last) as results:
        results.writelines(line.encode() for line in lines_of(run))
    if run.share < bar:
        sys.exit(BELOW)


def _suite(path: Path, prompt: Path | None) -> Suite:
    try:
        text = prompt.read_text(encoding="utf-8-sig").strip() if prompt else None
        return read_suite(path, text)
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path}: cannot be read ({error})") from None


def _watching(timeout: float) -> Watch:
    """Shows a batch until it is over, and ends the command when the time is."""
    end = time.monotonic() + timeout

    def look(batch: Batch) -> None:
        if time.monotonic() < end:
            return
        waits_for = batch.progress().waits_for
        reason = f"it waits for {waits_for}" if waits_for else "it is not answered to its end"
        raise click.ClickException(
            f"given up after {timeout:g} s: {reason}. What was not answered is cancelled"
        )

    return lambda batch: watch(batch, as_json=False, on_ends=lambda _: look(batch))


def _told(run: Run, before: LastRun, bar: float) -> Iterator[str]:
    """A table of what failed or changed, and the sum."""
    changes = {each.name: before.change(each) for each in run.results}
    rows = [each for each in run.results if not each.passed or changes[each.name]]
    width = max((len(_cell(each.name)) for each in rows), default=0)
    for each in sorted(rows, key=lambda each: each.passed):
        verdict = "pass" if each.passed else "FAIL"
        change = {"answer": "changed"}.get(changes[each.name], changes[each.name])
        line = f"{verdict}  {change:7}  {_cell(each.name):{width}}  {_cell('; '.join(each.wrong))}"
        yield line.rstrip()
    passed = len(run.results) - len(run.failed)
    verdict = "passed" if run.share >= bar else "NOT passed"
    yield f"{verdict}: {passed:,} of {len(run.results):,} ({run.share:.1%}), the bar is {bar:.1%}"
    yield f"{_changes(run, before, changes)}; {_cost(run.results, run.cost_usd)}"


def _changes(run: Run, before: LastRun, changes: Mapping[str, str]) -> str:
    if not before.results:
        return "no run before"
    words = {"broke": "broke", "mended": "mended", "new": "new", "answer": "other answers"}
    counts = [(list(changes.values()).count(key), word) for key, word in words.items()]
    counts.append((len(before.gone(run)), "gone"))
    told = [f"{count:,} {word}" for count, word in counts if count]
    return f"since the last run: {', '.join(told) or 'no change'}"


def _cost(results: list[Result], usd: float) -> str:
    cached = sum(each.cached for each in results)
    return f"${usd:.6f}, {cached:,} cached"


def _cell(text: str) -> str:
    return visible(text, keep="")
