"""Checks by a rubric: another model reads question and answer, and says whether it passes."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from ..contract.completions import Completion
from ..contract.errors import JobError
from ..contract.hygiene import untrusted
from ..contract.messages import Message
from ..contract.requests import CompletionRequest
from .suite import Question

TASK = (
    "You grade an answer by a rubric. The answer passes if it fulfils the rubric, whatever else "
    "you think of it. Give the reason in one sentence, and then whether it passes."
)


class Verdict(BaseModel):
    """What the judge says."""

    reason: str
    passes: bool


def to_judge(question: Question, answer: Completion) -> Iterator[dict[str, Any]]:
    """A request for each rubric of the question."""
    asked = CompletionRequest.checked(messages=question.request["messages"]).messages
    said = untrusted("\n\n".join(map(_said, asked)), "question")
    given = untrusted(answer.text, "answer")
    for number, rubric in enumerate(question.rubrics, 1):
        messages = [
            {"role": "system", "content": f"{TASK}\n\nThe rubric:\n{rubric}"},
            {"role": "user", "content": f"{said}\n\n{given}"},
        ]
        name = f"{question.name} rubric {number}"
        yield {"messages": messages, "name": name, "response_format": Verdict}


def wrong_by(outcome: Completion | JobError | None) -> str:
    """Why the judge does not let it pass; "" if it does. A judge that gives no verdict passes
    nothing.
    """
    if not isinstance(outcome, Completion):
        return f"the judge gave no verdict ({type(outcome).__name__}: {outcome})"
    try:
        verdict = Verdict.model_validate_json(outcome.text)
    except ValidationError:
        return "the judge gave no verdict (its answer is not the JSON that was asked for)"
    return "" if verdict.passes else f"the judge: {verdict.reason}"


def _said(message: Message) -> str:
    return "\n".join(text for place, text in message.texts() if place.startswith("content"))
