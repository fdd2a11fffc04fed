"""Between Celery's requests and ours: messages of plain Celery clients, and what follows a job."""

from collections.abc import Collection
from typing import Any

from celery.app.task import Context

from producer.contract.names import COMPLETE
from producer.contract.submission import Submission

_NAMES = {"link": "callbacks", "link_error": "errbacks", "group_id": "group"} | {
    name: name for name in ("chain", "chord", "group_index", "root_id", "parent_id")
}
"""Options of `apply_async` -> Celery's names in a request."""


def submission_of_message(
    job_id: str, foreign: dict[str, Any], user_ids: Collection[str]
) -> Submission:
    """The message as a submission under its own task id. Raises `InvalidRequest`.

    `foreign`: its header of `entries.message_of`; `user_ids`: as of `from_call`. An idempotency key
    is passed over: the client looks for the answer under the id that the message has already.
    """
    fields = {name: value for name, value in foreign["kwargs"].items() if name != "idempotency_key"}
    options = foreign["options"]
    return Submission.from_call(job_id, foreign["args"], fields, options, user_ids=user_ids)


def what_follows(options: dict[str, Any]) -> dict[str, Any]:
    """What Celery does after a task, as fields of its request; None where nothing is to be done.

    `options`: those of `apply_async`, as the ledger keeps them.
    """
    found = {name: options.get(option) for option, name in _NAMES.items()}
    for name in ("callbacks", "errbacks"):
        if not isinstance(found[name], list | None):
            found[name] = [found[name]]
    return found


def request_of_failed_step(job_id: str, options: dict[str, Any]) -> Context:
    """The Celery request of a canvas step that was never submitted, made of its options.

    It holds the continuations that the step's failure must reach.
    """
    return Context(what_follows(options), id=job_id, task=COMPLETE, args=(), kwargs={})
