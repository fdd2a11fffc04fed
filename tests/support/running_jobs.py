"""A running job without a ledger, for tests of what is done for one."""

from producer.contract.history import PastAttempt
from producer.contract.requests import CompletionRequest
from worker.ledger.running_job import RunningJob

ASKED = [{"role": "user", "content": "x"}]


def running_job(job_id="job", request=None, tried=(), **fields):
    """`fields` replace what a first start of a plain job would have.

    `tried`: (link, fault) of earlier attempts.
    """
    return RunningJob(
        **{
            "id": job_id,
            "fence": 1,
            "request": request or CompletionRequest.checked(messages=ASKED),
            "user_id": "u1",
            "lane": "interactive",
            "submitted_ms": 0,
            "started_ms": 0,
            "deadline_ms": 0,
            "first_started_ms": 0,
            "tried": tuple(PastAttempt(*each) for each in tried),
        }
        | fields
    )
