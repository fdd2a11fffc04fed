"""Calls whose signature editors and `help` show, and whose wrong arguments are a wrong request."""

import asyncio
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def checked_as_request(method: F) -> F:
    """A call of `method` that does not fit its signature goes to `apply_async` as it is, which
    raises `InvalidRequest` where Python would raise `TypeError`.
    """

    @wraps(method)
    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except TypeError as error:
            if error.__traceback__ and error.__traceback__.tb_next:
                raise  # from inside: the arguments fitted
        if inspect.iscoroutinefunction(method):
            return asyncio.to_thread(self.apply_async, args, kwargs)
        return self.apply_async(args, kwargs)

    return cast(F, call)
