"""Celery's classes of which ours are made. It has no types: checkers of types see these instead, so
that a misspelt method of a job or a task is an error for them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from celery import Celery
    from celery.canvas import Signature

    class AsyncResult:
        id: str
        task_id: str
        app: Celery
        backend: Any
        parent: "AsyncResult | None"
        children: "list[AsyncResult] | None"
        state: str
        """PENDING (also of a job that nobody knows), STARTED, RETRY, SUCCESS or FAILURE."""
        status: str
        """The same."""
        result: Any
        info: Any
        traceback: str | None
        name: str | None
        worker: str | None
        retries: int | None
        queue: str | None
        date_done: Any

        def __init__(
            self,
            id: str,
            backend: Any = None,
            task_name: str | None = None,
            app: Celery = None,
            parent: "AsyncResult | None" = None,
        ) -> None: ...
        def get(self, timeout: float | None = None, *args: Any, **options: Any) -> Any: ...
        def wait(self, timeout: float | None = None, *args: Any, **options: Any) -> Any: ...
        def ready(self) -> bool: ...
        def successful(self) -> bool: ...
        def failed(self) -> bool: ...
        def exists(self) -> bool: ...
        def forget(self) -> None: ...
        def revoke(self, *args: Any, **options: Any) -> None: ...
        def then(self, callback: Any, on_error: Any = None, weak: bool = False) -> Any: ...
        def throw(self, *args: Any, **kwargs: Any) -> Any: ...
        def as_tuple(self) -> Any: ...

    class Task:
        name: str
        app: Celery
        _app: Celery
        backend: Any
        ignore_result: bool
        request: Any

        def signature(self, args: Any = None, *more: Any, **options: Any) -> Signature: ...
        def map(self, it: Iterable[Any]) -> Signature: ...
        def starmap(self, it: Iterable[Any]) -> Signature: ...
        def chunks(self, it: Iterable[Any], n: int) -> Signature: ...

else:
    from celery import Task
    from celery.result import AsyncResult

__all__ = ["AsyncResult", "Task"]
