"""Messages that carry arguments: of plain Celery clients, and of Celery itself for canvas steps."""

from typing import Any

from celery.app.task import Context
from celery.worker.request import Request

from producer.contract.names import COMPLETE
from producer.contract.submission import Submission


class RedactedRequest(Request):  # type: ignore[misc]
    """A request that never shows its arguments: another client may have put a prompt into them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._argsrepr = self._request_dict["argsrepr"] = "()"
        self._kwargsrepr = self._request_dict["kwargsrepr"] = "{}"

    def info(self, safe: bool = False) -> dict[str, Any]:
        return dict(super().info(safe=True))


def submission_of_message(
    request: Context, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Submission:
    """The message as a submission under its own task id. Raises `InvalidRequest`.

    An idempotency key is passed over: the client looks for the answer under the id that the message
    has already.
    """
    options = {
        "link": request.callbacks,
        "link_error": request.errbacks,
        "chain": request.chain,
        "chord": request.chord,
        "group_id": request.group,
        "group_index": request.group_index,
        "root_id": request.root_id,
        "parent_id": request.parent_id,
        "expires": request.expires,
    }
    fields = {name: value for name, value in kwargs.items() if name != "idempotency_key"}
    return Submission.from_call(request.id, args, fields, options)


def request_of_failed_step(job_id: str, options: dict[str, Any]) -> Context:
    """The Celery request of a canvas step that was never submitted, made of its options.

    It holds the continuations that the step's failure must reach.
    """
    errbacks = options.get("link_error")
    if not isinstance(errbacks, list | None):
        errbacks = [errbacks]
    names = ("chain", "chord", "group_index", "root_id", "parent_id")
    kept = {name: options.get(name) for name in names}
    kept |= {"group": options.get("group_id"), "errbacks": errbacks}
    return Context(kept, id=job_id, task=COMPLETE, args=(), kwargs={})
