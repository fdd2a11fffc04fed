"""What is answered to what: the answers that a test has written down."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ..contract.completions import Completion
from ..contract.embeddings import as_vectors
from ..contract.errors import JobError
from ..contract.outcome import Outcome
from .asked import Asked

Said = str | dict[str, Any] | list[Any] | BaseModel | JobError | type[JobError]
Answer = Said | Callable[[Asked], Said]
"""What a test may write down."""
DIMENSIONS = 8
"""Of a vector that nobody has written down."""


@dataclass
class Rule:
    """Answers for requests that fit, in turn; the last of them for all that follow."""

    what: tuple[Answer, ...]
    when: str | Callable[[Asked], bool] | None
    after_s: float
    given: int = 0

    def fits(self, asked: Asked) -> bool:
        if self.when is None:
            return True
        if isinstance(self.when, str):
            return self.when in asked.texts
        return self.when(asked)

    def next(self) -> Answer:
        self.given += 1
        return self.what[min(self.given, len(self.what)) - 1]


def outcome_of(asked: Asked, what: Any) -> Outcome:
    """What was written down, as a job ends with it.

    Raises `TypeError` for what is no answer.
    """
    if asked.request.plan:
        return _answer(asked, json.dumps({"calls": 1, "tokens": 1, "low_usd": 0, "high_usd": 0}))
    if callable(what) and not isinstance(what, type):
        try:
            what = what(asked)
        except JobError as error:
            what = error
    if isinstance(what, type) and issubclass(what, JobError):
        what = what("a test says so")
    if isinstance(what, JobError):
        return what
    if isinstance(what, Completion):
        return what.model_copy(update={"request_id": asked.job_id})
    if asked.request.embedding:
        return _vectors(asked, what)
    if isinstance(what, BaseModel):
        return _answer(asked, what.model_dump_json(), validated=True)
    if isinstance(what, dict | list):
        return _answer(asked, json.dumps(what), validated=True)
    if isinstance(what, str):
        return _answer(asked, what, validated=_is_wanted_json(asked, what))
    raise TypeError(
        f"a {type(what).__name__} is no answer. Fix: give a text, a dict, a list, a pydantic "
        "object, a Completion, a JobError, or a function of what was asked that returns one"
    )


def _answer(asked: Asked, text: str, **more: Any) -> Completion:
    return Completion.fake(text, request_id=asked.job_id, **more)


def _is_wanted_json(asked: Asked, text: str) -> bool:
    wanted = asked.request.response_format
    if wanted is None or wanted.type == "text":
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _vectors(asked: Asked, what: Any) -> Completion:
    """One for each text: as written down, or numbers that are the same for the same text."""
    texts = asked.request.sole_texts
    wanted = asked.request.embedding
    size = (wanted and wanted.dimensions) or DIMENSIONS
    rows: Iterable[Iterable[float]] = [_numbers(text, size) for text in texts]
    if isinstance(what, list):
        rows = what if isinstance(what[0], list) else [what] * len(texts)
    return _answer(asked, "", vectors=as_vectors(rows))


def _numbers(text: str, size: int) -> list[float]:
    sums = [1.0] * size
    for place, byte in enumerate(text.encode()):
        sums[(place * 31 + byte) % size] += byte / 255
    length = sum(each * each for each in sums) ** 0.5
    return [each / length for each in sums]
