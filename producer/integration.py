"""`integrate`: completions beside the tasks of a Celery app of the project's own."""

import time
from typing import Any, NoReturn

from celery.exceptions import Ignore, Reject

from .client import Complete
from .contract.errors import Unavailable
from .contract.names import COMPLETE
from .group_results import mixed_group
from .hosts import hosts

PAUSE_S = 1.0
"""Before a message that came while the ledger was away is given back to its broker."""
_NAMES = {"link": "callbacks", "link_error": "errbacks", "group_id": "group"} | {
    name: name for name in ("chain", "chord", "group_index", "root_id", "parent_id", "expires")
}
"""Options of `apply_async` -> Celery's names in a request."""


def integrate(app: Any) -> None:
    """Make completions and the tasks of `app`, a Celery app, steps of the same canvas.

    Call it where `app` is made, in its web processes and workers alike. From then on `app` knows
    the task `complete`: whoever publishes it through `app` (the next step of a chain, `send_task`)
    writes it into the ledger, and nothing of it into the broker of `app`. What follows a completion
    is sent to the queue that `app` has for it. `app` takes JSON beside its own serializers; nothing
    else of it changes.
    """
    if app in hosts:
        return
    hosts.append(app)
    app.on_after_configure.connect(_take_json, weak=False)
    if app.configured:
        _take_json(app, app.conf)
    app.on_after_finalize.connect(_register, weak=False)
    if app.finalized:
        _register(app)
    app.GroupResult = mixed_group(app.GroupResult)
    _send_through_ledger(app)


class _InHost(Complete):
    """`complete` in an app of the project's own."""

    acks_late = True
    reject_on_worker_lost = True
    ignore_result = True

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Write a message that came to a worker of the host into the ledger, under its own id.

        It is from who publishes through neither `app` nor `complete`.
        """
        if self.request.is_eager:
            return super().run(*args, **kwargs)
        return self._pass_on(args, kwargs)

    def _pass_on(self, args: Any, kwargs: Any) -> NoReturn:
        options = {option: self.request.get(name) for option, name in _NAMES.items()}
        try:
            if args or kwargs:
                self.apply_async(args, kwargs, self.request.id, **options)
        except Unavailable as error:
            time.sleep(PAUSE_S)
            raise Reject(str(error), requeue=True) from None
        raise Ignore


def _register(sender: Any, **_: Any) -> None:
    if not isinstance(sender.tasks.get(COMPLETE), _InHost):
        sender.register_task(_InHost())


def _take_json(sender: Any, source: Any, **_: Any) -> None:
    """A step that a worker of ours publishes is JSON, and so are its results."""
    for name in ("accept_content", "result_accept_content"):
        taken = source.get(name)
        if taken is not None and not {"json", "application/json"} & set(taken):
            source[name] = [*taken, "json"]


def _send_through_ledger(app: Any) -> None:
    send = app.send_task

    def send_task(
        name: str, args: Any = None, kwargs: Any = None, *more: Any, **options: Any
    ) -> Any:
        if name == COMPLETE:
            return app.tasks[COMPLETE].apply_async(args, kwargs, **options)
        return send(name, args, kwargs, *more, **options)

    app.send_task = send_task
