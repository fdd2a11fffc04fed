"""Requests as they are written, for the price of their messages: who asks often asks with few
different options, and those are checked and written once.

Messages are checked each time, and so is metadata, which may name another trace each time. What is
wrong is found by `CompletionRequest` alone, which then has the whole request before it.
"""

import marshal
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from hashlib import sha256
from typing import Any, Self

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_json

from . import echoes
from .errors import InvalidRequest
from .messages import NEW_MESSAGES, Message
from .plain import wrong_turn
from .requests import (
    MAX_REQUEST_BYTES,
    MOST_MESSAGES,
    CompletionRequest,
    Metadata,
    canonical,
    refuse_large,
)
from .tool_turns import unpaired

MOST_KINDS = 32
"""Of options, that are remembered: those that were used last."""
MOST_BYTES = 16_384
"""Of options that are remembered."""
MOST_VALUES = 1_000
"""Of options that are remembered; `marshal` takes twice as many inside each other."""
_SCALARS = frozenset({str, int, float, bool, type(None)})
_OWN = ("messages", "metadata")
_TEXT_ONLY = frozenset({"role", "content"})


@dataclass(frozen=True, repr=False)
class Written:
    """A request that was checked, and its JSON."""

    text: str
    wire: int = field(compare=False)
    """The oldest wire version whose workers can read it."""
    options: CompletionRequest = field(compare=False)
    """It, or one that may have other messages."""
    digest: str = field(default="", compare=False)
    """Its fingerprint; "": not computed yet."""

    @classmethod
    def of(cls, request: CompletionRequest, text: str = "") -> Self:
        """`text`: its JSON, if it was written already."""
        return cls(text or request.to_json(), request.wire, request)

    @property
    def request(self) -> CompletionRequest:
        if self.options.messages:
            return self.options
        return CompletionRequest.model_validate_json(self.text)

    def fingerprint(self) -> str:
        return self.digest or self.options.fingerprint()


def written(fields: dict[str, Any], most: int = MAX_REQUEST_BYTES) -> Written:
    """As `CompletionRequest.written`."""
    kind = _kind(fields)
    if kind and kind.sample:
        found = kind.sample.with_own(fields.get("messages"), fields.get("metadata"), most)
        if found:
            return found
    request, text = CompletionRequest.written(fields, most)
    if kind:
        kind.note(request)
    return Written.of(request, text)


class _Sample:
    """What requests of the same options have in common: one of them."""

    def __init__(self, request: CompletionRequest) -> None:
        self._options = request.model_copy(update={"messages": (), "metadata": {}})
        self._wire = self._options.wire

    def with_own(self, given: Any, metadata: Any, most: int) -> Written | None:
        """The request with these messages and metadata. None: they may be wrong."""
        try:
            messages = _checked(given)
            each, shaping = zip(*map(_written, messages), strict=True)
            text = self._text(b",".join(each), _metadata(metadata))
            refuse_large(text, most)
        except (InvalidRequest, ValueError, TypeError, RecursionError):
            return None
        digest = sha256(b",".join(shaping).join(self._shaping_around)).hexdigest()
        wire = NEW_MESSAGES if any(each.is_new for each in messages) else self._wire
        return Written(text, wire, self._options, digest)

    def _text(self, messages: bytes, metadata: bytes) -> str:
        """`metadata`: b"" if there is none, which is not written."""
        before, between, after = self._others
        own = b'"metadata":%b' % metadata if metadata else b""
        fields = (before, b'"messages":[%b]' % messages, between, own, after)
        return (b"{%b}" % b",".join(filter(None, fields))).decode()

    @cached_property
    def _others(self) -> tuple[bytes, bytes, bytes]:
        """What stands before the messages in its JSON, between them and the metadata, and after."""
        names = list(CompletionRequest.model_fields)
        first, second = names.index("messages"), names.index("metadata")
        parts = (names[:first], names[first + 1 : second], names[second + 1 :])
        before, between, after = (
            self._options.to_json(include=set(part))[1:-1].encode() for part in parts
        )
        return before, between, after

    @cached_property
    def _shaping_around(self) -> tuple[bytes, bytes]:
        """The same of what its fingerprint is made of."""
        fields = self._options.shaping()
        before = canonical({name: fields[name] for name in fields if name < "messages"})[:-1]
        after = canonical({name: fields[name] for name in fields if name > "messages"})[1:]
        return f'{before},"messages":['.encode(), f"],{after}".encode()


class _Kind:
    """Options that were seen. The second time, one request of them becomes a sample."""

    def __init__(self) -> None:
        self.sample: _Sample | None = None
        self._seen = False

    def note(self, request: CompletionRequest) -> None:
        """`request`: one of these options that was found right."""
        if self._seen and not request.embedding:
            self.sample = _Sample(request)
        self._seen = True


@lru_cache(MOST_KINDS)
def _kind_of(options: bytes, model: type[BaseModel] | None) -> _Kind:
    return _Kind()


def _kind(fields: dict[str, Any]) -> _Kind | None:
    """None: of options that are not remembered."""
    options = {name: value for name, value in fields.items() if name not in _OWN}
    model = options.get("response_format")
    if isinstance(model, type) and issubclass(model, BaseModel):
        del options["response_format"]
    else:
        model = None
    if not _is_exact(options):
        return None
    text = marshal.dumps(options, 2)
    return _kind_of(text, model) if len(text) <= MOST_BYTES else None


def _is_exact(options: dict[str, Any]) -> bool:
    """Whether it holds nothing but JSON, in Python's own types: whatever is equal to another one,
    as True is to 1 or what an SDK has for a text, `marshal` tells apart of these only.
    """
    left: list[Any] = [options]
    for value in left:
        kind = type(value)
        if kind is dict:
            left += value
            left += value.values()
        elif kind is list or kind is tuple:
            left += value
        elif kind not in _SCALARS:
            return False
        if len(left) > MOST_VALUES:
            return False
    return True


@cache
def _of_metadata() -> TypeAdapter[dict[str, str]]:
    return TypeAdapter(Metadata)


def _metadata(given: Any) -> bytes:
    """As JSON; b"" if there is none. Raises `ValueError` if it is wrong."""
    if given is None:
        return b""
    found = _of_metadata().validate_python(given)
    return to_json(found) if found else b""


def _checked(given: Any) -> tuple[Message, ...]:
    """Raises `ValueError` if they may be wrong."""
    if type(given) is not list and type(given) is not tuple:
        raise ValueError
    messages = tuple(map(Message.model_validate, echoes.read(given)))
    if not 1 <= len(messages) <= MOST_MESSAGES:
        raise ValueError
    if wrong_turn(messages)[0] or unpaired(messages)[0]:
        raise ValueError
    return messages


def _written(message: Message) -> tuple[bytes, bytes]:
    """As JSON, and as it is in a fingerprint."""
    content = message.content
    if isinstance(content, str) and message.model_fields_set <= _TEXT_ONLY:
        text, role = to_json(content), message.role.encode()
        return (
            b'{"role":"%b","content":%b}' % (role, text),
            b'{"content":%b,"name":null,"role":"%b","tool_call_id":null,"tool_calls":null}'
            % (text, role),
        )
    shaping = canonical(message.model_dump(mode="json", by_alias=True))
    return message.model_dump_json(exclude_defaults=True, by_alias=True).encode(), shaping.encode()
