"""What makes a job a coroutine: `await`, `asyncio.create_task`, `gather` and `wait_for` take it."""

import asyncio
from abc import abstractmethod
from collections.abc import Coroutine, Generator
from functools import cached_property
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T", covariant=True)


class Awaited(Coroutine[Any, Any, T]):
    """May be awaited by any number of tasks, and each again. Each has a wait of its own."""

    @abstractmethod
    async def _answer(self) -> T:
        """Wait for it, without blocking the event loop."""

    def __await__(self) -> Generator[Any, Any, T]:
        """`await job`: like `value()`, without blocking the event loop.

        All awaited jobs of a loop are looked up together.
        """
        return self._answer().__await__()

    @cached_property
    def _waits(self) -> "WeakKeyDictionary[Any, Coroutine[Any, Any, T]]":
        """Task -> the wait that it runs, of the tasks that were made of the job itself."""
        return WeakKeyDictionary()

    def send(self, value: Any, /) -> Any:
        """A step of the task that was made of the job; asyncio calls it."""
        return self._step("send", value)

    def throw(self, error: Any, *more: Any) -> Any:
        """Into the task that was made of the job; asyncio calls it."""
        return self._step("throw", error, *more)

    def close(self) -> None:
        """Nothing is held that would have to be closed: each wait ends with its task."""

    def _step(self, name: str, *arguments: Any) -> Any:
        task = asyncio.current_task()
        wait = self._waits.get(task)
        if wait is None:
            wait = self._waits[task] = self._answer()
        try:
            return getattr(wait, name)(*arguments)
        except BaseException:
            self._waits.pop(task, None)
            raise
