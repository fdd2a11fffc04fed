"""A batch that is being submitted, piece by piece."""

from typing import Any

from .client import numbered, submit_chunk
from .contract.amounts import micro_usd, milliseconds
from .contract.errors import Conflict, InvalidRequest, JobError
from .contract.identifiers import MAX_BATCH_ID, MAX_LABEL, checked_id, checked_label, visible
from .contract.requests import CompletionRequest
from .contract.submission import Submission
from .contract.user_ids import checked_user
from .current import current_settings, ledger
from .ledger_replies import SubmittedJob

DEFAULTS = {"lane": "batch", "over_limit": "wait"}

_NO_REQUEST = CompletionRequest.checked(
    messages=[{"role": "user", "content": "(wrong)"}], lane="batch"
)
"""Stands in an item that cannot be run."""


class Submitting:
    """Opens the batch, or goes on with it. Arguments and errors as of `Batch.submit`."""

    def __init__(
        self,
        batch_id: str,
        user_id: str,
        label: str,
        max_usd: float | None,
        retention_s: float,
        options: dict[str, Any],
    ) -> None:
        self.batch_id = checked_id("batch_id", batch_id, MAX_BATCH_ID)
        self.written = 0
        """Items so far."""
        self._user_id = checked_user(user_id, current_settings().user_ids)
        self._options = DEFAULTS | options
        most = None if max_usd is None else micro_usd("max_usd", max_usd)
        opened = ledger().open_batch(
            batch_id,
            self._user_id,
            checked_label("label", label),
            milliseconds("retention_s", retention_s),
            most,
        )
        if opened.state == "conflict":
            raise Conflict(
                f"batch {batch_id} exists and is another user's. Fix: use a new batch_id"
            )
        before = opened.max_micro
        self.is_raised = before is not None and most is not None and most > before
        """Whether it was there and may spend more now."""

    def add(self, requests: list[Any]) -> None:
        """The next items, in one step."""
        who = (self._user_id, self._options)
        items = [
            item_of(self.batch_id, number, request, *who)
            for number, request in enumerate(requests, self.written)
        ]
        self._refuse_unless_written(submit_chunk(items, self.written))
        self.written += len(items)

    def close(self) -> None:
        """There are no more."""
        ledger().close_batch(self.batch_id, self.written)

    def _refuse_unless_written(self, jobs: list[SubmittedJob]) -> None:
        for job in jobs:
            if job.state == "conflict":
                raise Conflict(
                    f"item {job.job_id} exists and asks something else. Fix: use a new batch_id"
                )
            if job.state == "closed":
                raise InvalidRequest(
                    f"batch {self.batch_id} takes no more items: it was cancelled or is done. "
                    "Fix: use a new batch_id"
                )


def item_of(
    batch_id: str, number: int, request: Any, user_id: str, options: dict[str, Any]
) -> Submission:
    """A request that cannot be run becomes a submission that ends at once with its error."""
    job_id = f"{batch_id}.{number}"
    fields = dict(request) if isinstance(request, dict) else {"messages": request}
    name = fields.pop("name", "")
    wrong = fields.pop("wrong", None)
    fields["task_id"] = job_id
    try:
        if isinstance(wrong, JobError):
            raise wrong
        submission = numbered(number, fields, user_id, options, batch_id, name)
        if submission.user_id != user_id:
            raise InvalidRequest(
                "user_id: an item is its batch's user's. Fix: leave it out, or make it a job "
                "or batch of its own"
            )
        return submission
    except JobError as error:
        shown = visible(str(name), keep="")[:MAX_LABEL]
        return Submission(job_id, user_id, _NO_REQUEST, {}, batch=batch_id, name=shown, wrong=error)
