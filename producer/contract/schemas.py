"""How large a JSON Schema of a request may be, and what it may refer to.

A schema is another program: small ones can take hours to apply. What is refused here costs nobody
anything; what is accepted is applied in a process that may be killed (`worker/output_filters/`).
"""

import math
from collections.abc import Iterator
from typing import Any

MAX_BYTES = 200_000
"""About what the schema takes as JSON."""
MAX_DEPTH = 64
"""Objects and arrays inside each other. Providers take about ten levels of objects."""
MAX_NODES = 20_000
MAX_REFERENCES = 500
MAX_UNFOLDED = 20_000
"""Schemas that apply to one value at worst, with every reference written out."""
MAX_INTEGER = 2**64

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_DRAFTS = ("http://json-schema.org/", "https://json-schema.org/")
_ALTERNATIVES = ("allOf", "anyOf", "oneOf")
_IN_PLACE = ("not", "if", "then", "else")

Json = Any
"""What `json.loads` returns."""


def problem(schema: dict[str, Any]) -> str:
    """What of `schema` cannot be accepted, with the fix; "" if nothing. Takes bounded time."""
    references = 0
    for node in _bounded_nodes(schema):
        if isinstance(node, str):
            return node
        if not isinstance(node, dict):
            continue
        for name in _REFERENCES:
            target = node.get(name)
            if isinstance(target, str):
                references += 1
                if not target.startswith("#"):
                    return f"{name} leads out of the schema. Fix: put what it names under $defs"
        draft = node.get("$schema")
        if isinstance(draft, str) and not draft.startswith(_DRAFTS):
            return "$schema names no draft of json-schema.org. Fix: leave it out"
    if references > MAX_REFERENCES:
        return f"has {references:,} references, at most {MAX_REFERENCES} are accepted"
    return _unfolded_problem(schema)


def _bounded_nodes(schema: dict[str, Any]) -> Iterator[Json]:
    """Every object and array of it; a text is the reason to stop."""
    size = 0
    count = 0
    level: list[Json] = [schema]
    for _ in range(MAX_DEPTH):
        inner: list[Json] = []
        for node in level:
            yield node
            keys: Iterator[Any] = iter(node)
            if isinstance(node, dict):
                for key in keys:
                    if not isinstance(key, str):
                        yield "has a key that is no string"
                        return
                    if wrong := _scalar_problem(key):
                        yield wrong
                        return
                    size += len(key) + 3
                keys = iter(node.values())
            for value in keys:
                count += 1
                if isinstance(value, dict | list | tuple):
                    inner.append(value)
                    continue
                if wrong := _scalar_problem(value):
                    yield wrong
                    return
                size += _size(value)
            if count > MAX_NODES or size > MAX_BYTES:
                yield (
                    f"is too large: at most {MAX_BYTES:,} bytes and {MAX_NODES:,} values "
                    "are accepted. Fix: leave out descriptions or split the task"
                )
                return
        if not inner:
            return
        level = inner
    yield f"is nested deeper than {MAX_DEPTH} levels. Fix: name parts under $defs"


def _size(value: Json) -> int:
    if isinstance(value, str):
        return len(value.encode()) + 3
    return 8


def _scalar_problem(value: Json) -> str:
    """What of a value without parts JSON cannot say."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return "holds half of a surrogate pair"
        return ""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return "" if abs(value) <= MAX_INTEGER else "holds a number of more than 64 bits"
    if isinstance(value, float):
        return "" if math.isfinite(value) else "holds NaN or infinity"
    return f"holds a {type(value).__name__}, which JSON does not know"


def _unfolded_problem(schema: dict[str, Any]) -> str:
    """A schema may name another twice, which names a third twice, and so on."""
    sizes: dict[int, int] = {}
    open_: set[int] = set()

    def size(node: Json) -> int:
        """How many schemas apply to one value. Infinite if it applies itself to the same value."""
        if not isinstance(node, dict):
            return 1
        key = id(node)
        if key in open_:
            raise _Endless
        if key not in sizes:
            open_.add(key)
            sizes[key] = 1 + sum(map(size, _in_place(schema, node)))
            open_.remove(key)
        return sizes[key]

    try:
        for node in _nodes(schema):
            if size(node) > MAX_UNFOLDED:
                return (
                    "applies too many schemas to one value, because references and alternatives "
                    f"multiply: at most {MAX_UNFOLDED:,}. Fix: name fewer alternatives"
                )
    except RecursionError:
        return "has too long a chain of references. Fix: name fewer schemas by way of others"
    except _Endless:
        return "applies itself to the same value without end. Fix: remove the circular $ref"
    return ""


class _Endless(Exception):
    """A schema refers to itself before it looks at a part of the value."""


def _nodes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object of a schema that is known to be bounded."""
    waiting: list[Json] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list | tuple):
            waiting.extend(node)


def _in_place(root: dict[str, Any], node: dict[str, Any]) -> Iterator[Json]:
    """The schemas that a schema applies to the same value."""
    for name in _ALTERNATIVES:
        several = node.get(name)
        if isinstance(several, list | tuple):
            yield from several
    for name in _IN_PLACE:
        if name in node:
            yield node[name]
    dependent = node.get("dependentSchemas")
    if isinstance(dependent, dict):
        yield from dependent.values()
    for name in _REFERENCES:
        target = node.get(name)
        if isinstance(target, str):
            yield _target(root, target)


def _target(root: dict[str, Any], reference: str) -> Json:
    """What a JSON pointer names; None for an anchor, and where there is nothing."""
    node: Json = root
    for part in reference.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and name in node:
            node = node[name]
        elif isinstance(node, list | tuple) and name in map(str, range(len(node))):
            node = node[int(name)]
        else:
            return None
    return node


def has_open_objects(schema: dict[str, Any]) -> bool:
    """Whether it lets an object have fields that it does not name. A schema that says nothing of
    them, but names some, is taken as meaning those.
    """
    return any(_is_open(node) for node in _nodes(schema))


def _is_open(node: dict[str, Any]) -> bool:
    if node.get("patternProperties"):
        return True
    kinds = node.get("type")
    if kinds != "object" and not (isinstance(kinds, list) and "object" in kinds):
        return False
    others = node.get("additionalProperties")
    if others is None:
        named = ("properties", "$ref", "anyOf", "oneOf", "allOf")
        return not any(node.get(name) for name in named)
    return others is not False


def is_recursive(schema: dict[str, Any]) -> bool:
    """Whether a part of it refers to itself, so that answers may be nested without end."""
    done: set[int] = set()
    open_ = {id(schema)}
    path = [(id(schema), _parts(schema, schema))]
    while path:
        key, parts = path[-1]
        part = next(parts, None)
        if part is None:
            path.pop()
            open_.remove(key)
            done.add(key)
        elif id(part) in open_:
            return True
        elif id(part) not in done:
            open_.add(id(part))
            path.append((id(part), _parts(schema, part)))
    return False


def _parts(root: dict[str, Any], node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The objects that a schema is made of, and the one that it refers to."""
    waiting = [value for name, value in node.items() if name not in ("$defs", "definitions")]
    if isinstance(node.get("$ref"), str):
        waiting.append(_target(root, node["$ref"]))
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
        elif isinstance(part, list | tuple):
            waiting.extend(part)
