"""A call of one ledger function and its reply, with named fields on both sides. The fields of these
classes, in their order, are the names that the function's Lua file lists; a test compares them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache, cached_property
from typing import Any, ClassVar, Generic, Self, TypeVar, cast, get_args, get_origin

from ..publication import Publication

Argument = str | int


@dataclass(frozen=True)
class Reply:
    """What a function answers. A field that the function leaves out keeps its default."""

    @classmethod
    def parse(cls, values: list[Any]) -> Self:
        given = zip(_names(cast(type, cls)), values, strict=True)
        named = {name: value for name, value in given if value is not None}
        if "publications" in named:
            named["publications"] = Publication.parse(named["publications"])
        return cls(**named)


R = TypeVar("R", bound=Reply)


@dataclass(frozen=True)
class Call(Generic[R]):
    """`class Status(Call[StatusReply], function="status")`. A field `items` holds the arguments
    that repeat: texts, or objects with fields of their own.
    """

    function: ClassVar[str]
    reply: ClassVar[type[Reply]]

    def __init_subclass__(cls, function: str) -> None:
        super().__init_subclass__()
        cls.function = function
        bases = vars(cls)["__orig_bases__"]
        (base,) = (each for each in bases if get_origin(each) is Call)
        (cls.reply,) = get_args(base)

    @cached_property
    def arguments(self) -> list[Argument]:
        """As the function takes them."""
        return list(_flat(self))

    def read(self, values: list[Any]) -> R:
        """The function's reply."""
        return self.reply.parse(values)  # type: ignore[return-value]


@dataclass(frozen=True)
class Nothing(Reply):
    """The reply of a function that has nothing to say."""


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


def _flat(given: Any) -> Iterator[Argument]:
    for name in _names(given.__class__):
        value = getattr(given, name)
        if type(value) is str:  # most are
            yield value
        elif name == "items":
            for item in value:
                yield from [item] if isinstance(item, str) else _flat(item)
        else:
            yield _written(value)


def _written(value: Any) -> Argument:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return f"{value:.9f}"
    return value  # type: ignore[no-any-return]
