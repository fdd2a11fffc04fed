"""What is wrong with a request, in one line: the place of each wrong field, and the fix."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .identifiers import visible

Location = tuple[int | str, ...]


@cache
def _words() -> dict[str, Any]:
    import tomllib  # of the first wrong request, and not of each start

    return tomllib.loads(Path(__file__).with_name("wrong_fields.toml").read_text())


def explained(error: ValidationError) -> tuple[str, dict[str, Any]]:
    """A line with every wrong field, and `InvalidRequest.details`.

    Without the values: one of them may be the prompt.
    """
    places = []
    reasons = []
    for location, reason in _told(error):
        place = _place(location)
        if reason.startswith(f"{place}["):
            place, _, reason = reason.partition(": ")
        places.append(place)
        reasons.append(f"{place}: {reason}")
    return "; ".join(reasons), {"fields": places}


def _told(error: ValidationError) -> Iterator[tuple[Location, str]]:
    """(where, what is wrong) of each field, of unions only the branch that was meant."""
    items = error.errors(include_url=False, include_input=False)
    locations = [item["loc"] for item in items]
    asked_again: set[Location] = set()
    for item in items:
        location = item["loc"]
        if location[:1] == ("tool_choice",) and item["type"] != "value_error":
            location = location[:1] + location[2:]  # without the name of its form
        if item["type"] == "too_short" and any(_is_inside(each, location) for each in locations):
            continue  # it counts only the items that are right
        start = _branch_at(location)
        if start is None:
            yield location, _reason(item)
            continue
        union, inner = location[:start], location[start + 1 :]
        if inner:
            tagged = "tagged-union" in str(location[start]) and len(inner) > 1
            yield union + (inner[:1] + inner[2:] if tagged else inner), _reason(item)
        elif union not in asked_again and not _is_list(locations, union):
            asked_again.add(union)
            yield union, "must be a text or a list of parts. Fix: str(...) or json.dumps(...)"


def _branch_at(location: Location) -> int | None:
    """Where pydantic names the branch of "a text or a list of parts"; None if nowhere."""
    for number, part in enumerate(location):
        if part == "str" and number and location[number - 1] == "content":
            return number
        if isinstance(part, str) and part.startswith("tuple["):
            return number
    return None


def _is_list(locations: Sequence[Location], union: Location) -> bool:
    """Whether something inside a list is wrong there, so that a list was meant."""
    inside = (each for each in locations if _is_inside(each, union))
    return any(len(each) > len(union) + 1 for each in inside)


def _is_inside(location: Location, outer: Location) -> bool:
    return len(location) > len(outer) and location[: len(outer)] == outer


def _reason(item: Any) -> str:
    kind, location = item["type"], item["loc"]
    names = [part for part in location if isinstance(part, str)]
    if told := _words()["places"].get(".".join(names)):
        return str(told)
    if told := _words()["at"].get(".".join(names), {}).get(kind):
        return str(told)
    foreign = _words()["foreign"]
    alone = len(location) == 1
    if kind == "extra_forbidden" and alone and names[0] in foreign:
        return f"unknown option. {foreign[names[0]]}"
    if template := _words()["fixes"].get(kind):
        said = item.get("ctx", {})
        figures = {name: _whole(value) for name, value in said.items()}
        return str(template).format(**figures)
    return str(item["msg"]).removeprefix("Value error, ")


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _place(location: Location) -> str:
    """As in Python: messages[0].role."""
    place = ""
    for part in location:
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    return visible(place.lstrip("."), keep="")[:200] or "request"
