"""Puts a job's id on the broker: no arguments, task id = job id, so that no prompt is in broker,
events or logs.

Works on any Celery app handed to it and imports none. Publishing an id twice is harmless: one
delivery begins, the other is dropped.
"""

from typing import Any

from .names import COMPLETE, QUEUES
from .submission import Publication


def publish(app: Any, publications: list[Publication], **options: Any) -> None:
    """Send one message per order through `app`. Raises what kombu raises when the broker cannot be
    reached.

    Celery's own `send_task` would also subscribe to the result of every call, which costs a trip
    and hangs on a frozen result backend; the message built here is the same one.
    """
    if not publications:
        return
    with app.producer_or_acquire() as producer:
        for order in publications:
            after = dict(order.continuation)
            message = app.amqp.create_task_message(
                order.job_id,
                COMPLETE,
                (),
                {},
                callbacks=_listed(after.pop("link", None)),
                errbacks=_listed(after.pop("link_error", None)),
                argsrepr="()",
                kwargsrepr="{}",
                create_sent_event=app.conf.task_send_sent_event,
                **after,
            )
            app.amqp.send_task_message(
                producer, COMPLETE, message, queue=QUEUES[order.lane], **options
            )


def _listed(value: Any) -> list[Any] | None:
    return value if value is None or isinstance(value, list) else [value]
