"""What `complete` is as a step of Celery's canvas, whatever app publishes or runs the others."""

from typing import TYPE_CHECKING, Any

from celery import current_task, group

from .celery_bases import Task
from .contract.errors import InvalidRequest
from .contract.names import QUEUES
from .current import current_settings
from .settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from celery.canvas import Signature

EAGER_S = 60.0
"""How long an eager step (`task_always_eager`, `apply`) waits for a worker."""


class CanvasStep(Task):
    """Its signatures name a queue of ours, and show no prompt.

    A step of a chain is published by the app of the step before it. If that app does not know us
    (`integrate`), the message goes to its default queue, whose worker prints what it cannot run and
    drops it. With a queue it comes to ours, or waits there.
    """

    def signature(self, args: Any = None, *more: Any, **options: Any) -> "Signature":
        made = super().signature(args, *more, **options)
        made.options.update(queue=_queue(), serializer="json", argsrepr="()", kwargsrepr="{}")
        return made

    subtask = signature

    def map(self, it: "Iterable[Any]") -> "Signature":
        """One job each; Celery's own is one message with all of them, prompts too."""
        return self.starmap((each,) for each in it)

    def starmap(self, it: "Iterable[Any]") -> "Signature":
        """The same of lists of arguments."""
        return group((self.signature(tuple(each)) for each in it), app=self.app)

    def chunks(self, it: "Iterable[Any]", n: int) -> "Signature":
        raise InvalidRequest("chunks: each completion is a job. Fix: complete.many(requests, user)")

    @classmethod
    def on_bound(cls, app: Any) -> None:
        """Whoever asks for the app finds the task in it; until then nobody reads its settings."""
        app.finalize()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.run(*args, **kwargs)

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """In this process nothing is answered: an eager canvas waits for a worker's answer.

        Raises the job's `JobError`, and `TimeoutError` after a minute.
        """
        submits: Any = self
        answer = submits.apply_async(args, kwargs).value(EAGER_S)
        return answer.model_dump(mode="json")

    @staticmethod
    def replaces(task_id: str | None) -> bool:
        """Whether a job of that id takes the place of the task that runs here (`self.replace`)."""
        return bool(task_id and current_task and current_task.request.id == task_id)


def _queue() -> str:
    try:
        return current_settings().names.queues["interactive"]
    except SettingsError:  # the first send says what is wrong
        return QUEUES["interactive"]
