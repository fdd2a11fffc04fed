"""The arguments of a task, as Celery's calls have them, by name."""

from typing import Any

from .errors import InvalidRequest


def named(names: tuple[str, ...], args: Any, kwargs: Any, too_many: str) -> dict[str, Any]:
    """`names`: of those that may be given by position; `too_many`: what is said of more of them.

    Raises `InvalidRequest`, whatever the arguments are.
    """
    if not isinstance(args, tuple | list):
        raise InvalidRequest(f"args: needs a tuple, this one is a {type(args).__name__}")
    if not isinstance(kwargs, dict) or not all(isinstance(name, str) for name in kwargs):
        raise InvalidRequest("kwargs: needs a dict whose keys are texts")
    if len(args) > len(names):
        raise InvalidRequest(too_many)
    if not args:
        return {**kwargs}
    fields = dict(zip(names, args, strict=False))
    if twice := fields.keys() & kwargs.keys():
        raise InvalidRequest(
            f"{min(twice)}: given twice, by position and by name. Fix: give it once"
        )
    return fields | kwargs
