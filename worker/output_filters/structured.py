"""Answers that must be JSON: whether one is as its request wants it, and how it is asked for again.

The words of an answer go nowhere: what is told is the place in the caller's own schema.
"""

from dataclasses import replace

from producer.contract.history import PastAttempt
from producer.contract.messages import Message
from producer.contract.requests import CompletionRequest

from ..faults import as_name
from ..ledger.running_job import RunningJob
from . import broken_schema, unusable
from .checker import NotChecked, Whose
from .child import TOO_DEEP

UNFIT = "unfit"
"""The fault of an attempt whose answer was not in the form that was asked for."""
_NO_JSON = "no_json"
_SCHEMA = "schema"
_PLACE = "breaks its schema at /"


class Verdict(str):
    """What is wrong with an answer, "" if nothing is."""

    __slots__ = ()

    @property
    def noted(self) -> str:
        """As the ledger keeps it of the attempt (`producer.contract.history`)."""
        if not self.startswith(_PLACE):
            return f"{UNFIT}::{_NO_JSON}"
        place = as_name(self.removeprefix(_PLACE).replace("/", "."))
        return f"{UNFIT}::{_SCHEMA}::{place}"


def wants_json(request: CompletionRequest) -> bool:
    wanted = request.response_format
    return wanted is not None and wanted.type != "text"


def verdict(request: CompletionRequest, text: str, whose: Whose) -> Verdict | None:
    """Of the answer to a request that wants JSON; None if that cannot be told within the limits."""
    if unusable(request):
        return None
    try:
        found = broken_schema(request, text, whose)
    except NotChecked:
        return None
    return None if found == TOO_DEEP else Verdict(found)


def times_unfit(job: RunningJob) -> int:
    return sum(each.fault == UNFIT for each in job.tried)


def corrected(job: RunningJob) -> RunningJob:
    """The job with what was wrong with its last answer, if that is why it is asked again."""
    unfit = [each for each in job.tried if each.fault == UNFIT]
    if not unfit:
        return job
    hint = Message(role="user", content=_hint(unfit[-1]))
    request = job.request.model_copy(update={"messages": (*job.request.messages, hint)})
    return replace(job, request=request)


def _hint(past: PastAttempt) -> str:
    wrong = "it is no JSON"
    if past.code == _SCHEMA:
        wrong = f"it breaks the JSON Schema at {past.param}"
    return (
        f"An answer to this was not accepted: {wrong}. "
        "Answer again, with nothing but the JSON that was asked for."
    )
