"""Holding an exam: two batches at most, what is asked, and what is judged by rubrics."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from ..batch_items import Item
from ..batches import Batch
from ..contract.completions import Completion
from ..contract.errors import JobError
from .judging import to_judge, wrong_by
from .suite import Question, Suite

Watch = Callable[[Batch], object]
"""Waits until a batch is over."""


@dataclass(frozen=True)
class Result:
    """How one input did."""

    name: str
    wrong: tuple[str, ...]
    """Why it does not pass; empty if it does."""
    answer: str = ""
    cost_usd: float = 0.0
    """Without what its judge cost."""
    seconds: float = 0.0
    """Of the call that answered; 0 for a cached answer."""
    cached: bool = False

    @property
    def passed(self) -> bool:
        return not self.wrong


@dataclass(frozen=True)
class Run:
    """An exam that was held."""

    suite: str
    results: list[Result]
    cost_usd: float = 0.0
    """With what judging cost, and what may have been billed."""

    @property
    def failed(self) -> list[Result]:
        return [each for each in self.results if not each.passed]

    @property
    def share(self) -> float:
        """Of those that passed, from 0 to 1."""
        return 1 - len(self.failed) / len(self.results)


def hold(
    suite: Suite,
    user_id: str,
    watch: Watch,
    max_usd: float | None = None,
    fresh: bool = False,
) -> Run:
    """Ask, check, judge. `max_usd`: dollars that all of it may cost; `fresh`: no cached answer is
    taken, as for checks of time and cost.

    Raises like `Batch.submit`. A batch that its watcher leaves by an exception is cancelled.
    """
    options = dict(suite.options)
    if fresh and options.get("cache") == "use":
        options["cache"] = "refresh"
    requests = [question.request for question in suite.questions]
    asked, cost_usd = _run(suite, requests, user_id, watch, max_usd, options)
    answered = list(zip(suite.questions, asked, strict=True))
    judged = [request for each in answered for request in _rubric_requests(*each)]
    verdicts: list[Item] = []
    if judged:
        left = None if max_usd is None else max(0.0, max_usd - cost_usd)
        verdicts, judging_usd = _run(suite, judged, user_id, watch, left, suite.judge)
        cost_usd += judging_usd
    by_name = {item.name: item for item in verdicts}
    results = [_result(question, item, by_name) for question, item in answered]
    return Run(suite.name, results, cost_usd)


def _run(
    suite: Suite,
    requests: Iterable[dict[str, Any]],
    user_id: str,
    watch: Watch,
    max_usd: float | None,
    options: dict[str, Any],
) -> tuple[list[Item], float]:
    """The items in the order of the requests, and dollars."""
    name = f"exam-{uuid4()}"
    batch = Batch.submit(requests, user_id, name, suite.name, max_usd, **options)
    try:
        watch(batch)
    except BaseException:
        batch.cancel()
        raise
    progress = batch.progress()
    return list(batch.results()), progress.cost_usd + progress.possibly_billed_usd


def _rubric_requests(question: Question, item: Item) -> list[dict[str, Any]]:
    if not isinstance(item.outcome, Completion):
        return []
    return list(to_judge(question, item.outcome))


def _result(question: Question, item: Item, verdicts: dict[str, Item]) -> Result:
    answer = item.outcome
    if not isinstance(answer, Completion):
        error = answer or JobError("it has no answer")
        return Result(question.name, (f"{type(error).__name__}: {error}",))
    wrong = [check.wrong_in(answer) for check in question.checks]
    judged = [verdicts[request["name"]] for request in to_judge(question, answer)]
    wrong += [wrong_by(verdict.outcome) for verdict in judged]
    return Result(
        name=question.name,
        wrong=tuple(filter(None, wrong)),
        answer=answer.text,
        cost_usd=answer.cost_usd + answer.maybe_billed_usd,
        seconds=0.0 if answer.cached else answer.latency_ms / 1000,
        cached=bool(answer.cached),
    )
