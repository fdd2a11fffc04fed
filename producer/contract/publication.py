"""Puts a job's id on the broker.

The message has no arguments and the task id is the job id, so that no prompt is in the broker, in
events or in logs. Works on any Celery app handed to it and imports none. Publishing an id twice is
harmless: one delivery starts the job, the other is dropped.
"""

import json
from dataclasses import dataclass
from typing import Any

from .names import COMPLETE, FleetNames, Lane


@dataclass(frozen=True)
class Publication:
    """A job to put on its lane's queue, with Celery's continuation headers if it has any."""

    job_id: str
    lane: Lane
    continuation: dict[str, Any]

    @classmethod
    def parse(cls, triples: list[list[str]]) -> "list[Publication]":
        """From the ledger's reply: id, lane, and continuation as JSON or "" of each."""
        return [
            cls(job_id, lane, json.loads(after) if after else {})  # type: ignore[arg-type]
            for job_id, lane, after in triples
        ]


def publish(app: Any, names: FleetNames, publications: list[Publication], **options: Any) -> None:
    """Send one message each through `app`. Raises kombu's errors if the broker is out of reach.

    Celery's own `send_task` would also subscribe to the result of every call, which costs a trip
    and hangs on a frozen result backend; the message built here is the same one.
    """
    if not publications:
        return
    queues = names.queues
    with app.producer_or_acquire() as producer:
        for publication in publications:
            continuation = dict(publication.continuation)
            message = app.amqp.create_task_message(
                publication.job_id,
                COMPLETE,
                (),
                {},
                callbacks=_listed(continuation.pop("link", None)),
                errbacks=_listed(continuation.pop("link_error", None)),
                argsrepr="()",
                kwargsrepr="{}",
                **continuation,
            )
            app.amqp.send_task_message(
                producer, COMPLETE, message, queue=queues[publication.lane], **options
            )


def _listed(value: Any) -> list[Any] | None:
    if value is None or isinstance(value, list):
        return value
    return [value]
