"""What was found about the request that a job, or a plain thread, asked about last.

For one job the same is asked up to eight times: for each link its room, its hold and its prompt,
and what its reply teaches.
"""

from collections.abc import Callable, Hashable
from contextvars import ContextVar
from typing import Any, TypeVar, cast
from weakref import ref

from producer.contract.requests import CompletionRequest

T = TypeVar("T")


class _Last:
    """The request itself is not kept."""

    def __init__(self) -> None:
        self.request: Callable[[], CompletionRequest | None] = lambda: None
        self.found: dict[Hashable, Any] = {}


_LAST: ContextVar[_Last] = ContextVar("last")


def of_last(request: CompletionRequest, asked: Hashable, find: Callable[[], T]) -> T:
    """What `find` found when `asked` came first."""
    last = _LAST.get(None)
    if last is None:
        _LAST.set(last := _Last())
    if last.request() is not request:
        last.request, last.found = ref(request), {}
    if asked not in last.found:
        last.found[asked] = find()
    return cast(T, last.found[asked])
