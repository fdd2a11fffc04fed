"""Ending a job whatever the ledger makes of what is to be stored."""

import logging
from collections.abc import Callable

from producer.contract.errors import OutcomeUnknown
from producer.contract.outcome import Outcome

from .attempt import Attempt
from .calls import Ending
from .connection import ERRORS
from .ledger import Ledger
from .running_job import RunningJob

logger = logging.getLogger(__name__)

ANSWER_LOST = (
    "An error of ours lost the answer. The call is or may be paid for and is not repeated; "
    "the worker's log says what happened."
)


def settle(
    ledger: Ledger,
    job: RunningJob,
    attempt: Attempt,
    outcome: Outcome,
    fault: str = "",
) -> tuple[Ending, Outcome]:
    """The outcome is stored with all that goes with it; else alone; else, as the last resort, that
    it is lost.

    Raises `ERRORS` while the ledger is away, and what it says if it refuses even that.
    """
    ways: tuple[Callable[[], Attempt], ...] = (lambda: attempt, attempt.only_its_bill)
    for stored in ways:
        try:
            return ledger.settle(job, stored(), outcome, fault), outcome
        except ERRORS:
            raise
        except Exception:
            logger.exception("job %s: its outcome cannot be stored like that", job.id)
    lost = OutcomeUnknown(ANSWER_LOST)
    return ledger.settle(job, attempt.only_its_hold(), lost), lost
