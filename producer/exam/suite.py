"""Suites: files of inputs and of what their answers must be, in YAML, JSON or JSON lines."""

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..contract.errors import InvalidRequest
from ..contract.identifiers import checked_label
from ..contract.requests import CompletionRequest
from ..prompts import Prompt
from . import yaml_files
from .checks import KINDS, RUBRIC, Check, checked

SUITE = ("name", "prompt", "prompt_file", "options", "checks", "judge", "min_pass", "inputs")
_LINES = (".jsonl", ".ndjson")
_PLACE = re.compile(r"(?<!\{)\{\w+\}(?!\})")
"""Braces around anything else, as in an example of JSON, are no place."""


@dataclass(frozen=True)
class Question:
    """One input, ready to be asked."""

    name: str
    request: dict[str, Any]
    checks: tuple[Check, ...]
    rubrics: tuple[str, ...]
    """What another model judges the answer by."""


@dataclass(frozen=True)
class Suite:
    """What is asked, and when it is passed."""

    name: str
    questions: list[Question]
    options: dict[str, Any] = field(default_factory=dict)
    judge: dict[str, Any] = field(default_factory=dict)
    """`complete`'s options for who judges by rubrics."""
    min_pass: float = 1.0


def read_suite(path: Path, prompt: str | None = None) -> Suite:
    """`prompt`: instead of the suite's own.

    Raises `InvalidRequest` that names the place of what is wrong, `OSError` of the system.
    """
    said = _parsed(path)
    _refuse_unknown(said)
    name = checked_label("name", str(said.get("name") or path.stem))
    if prompt is None:
        prompt = _prompt_of(said, path.parent)
    options = _cached(_mapping(said, "options"))
    judge = _cached(_mapping(said, "judge"))
    messages = [{"role": "user", "content": "?"}]
    for each in (options, judge):
        CompletionRequest.checked(**{"messages": messages} | each)
    everywhere = _mapping(said, "checks")
    if wrong := everywhere.keys() - {*KINDS}:
        raise InvalidRequest(_no_check(f"checks.{min(wrong)}", min(wrong)))
    inputs = list(_inputs(said, path.parent))
    if not inputs:
        raise InvalidRequest(f"{path.name}: has no inputs. Fix: list them under inputs")
    asking = _Asking(prompt, everywhere)
    questions = [asking.question(number, each) for number, each in enumerate(inputs, 1)]
    _refuse_twice(questions)
    return Suite(name, questions, options, judge, _share(said.get("min_pass", 1.0)))


class _Asking:
    """Makes questions of inputs. A prompt with places takes the input's columns; one without is,
    as it is, the system's message before the input's `messages` or `text`.
    """

    def __init__(self, prompt: str, everywhere: dict[str, Any]) -> None:
        has_places = _PLACE.search(prompt) is not None
        self._system = "" if has_places else prompt
        self._prompt = Prompt(prompt) if has_places else None
        self._everywhere = everywhere

    def question(self, number: int, given: Any) -> Question:
        """`InvalidRequest` names the input by its number, from 1."""
        place = f"inputs[{number}]"
        if not isinstance(given, dict):
            raise InvalidRequest(f"{place}: needs an object with its text and its checks")
        _refuse_misspelt(place, given)
        name = checked_label(f"{place}.name", str(given.get("name") or f"input-{number}"))
        wanted = {**self._everywhere, **{key: given[key] for key in KINDS if key in given}}
        if not wanted:
            raise InvalidRequest(
                f"{place}: has no check, so that any answer would pass. Fix: add one of "
                f"{', '.join(KINDS)}"
            )
        rubrics = _rubrics(place, wanted.pop(RUBRIC, None))
        checks = tuple(checked(place, kind, value) for kind, value in wanted.items())
        request = {"messages": self._messages(place, given), "name": name}
        return Question(name, request, checks, rubrics)

    def _messages(self, place: str, given: dict[str, Any]) -> Any:
        try:
            if self._prompt:
                return self._prompt.request(given)["messages"]
        except InvalidRequest as error:
            raise InvalidRequest(f"{place}: {error.message}") from None
        before = [{"role": "system", "content": self._system}] if self._system else []
        if "messages" in given:
            return [*before, *_checked_messages(place, given["messages"])]
        if isinstance(given.get("text"), str):
            return [*before, {"role": "user", "content": given["text"]}]
        raise InvalidRequest(
            f"{place}: asks nothing. Fix: give it text or messages, or a prompt with places for "
            "its columns, as {text}"
        )


def _checked_messages(place: str, messages: Any) -> Any:
    try:
        CompletionRequest.checked(messages=messages)
    except InvalidRequest as error:
        raise InvalidRequest(f"{place}.{error.message}") from None
    return messages


def _parsed(path: Path) -> dict[str, Any]:
    """The suite as one object. JSON lines are its inputs; {"suite": {...}} is the rest of it."""
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() in _LINES:
        lines = list(_json_lines(path, text))
        said: dict[str, Any] = {}
        for each in lines:
            if isinstance(each, dict) and "suite" in each:
                said |= _mapping(each, "suite")
        inputs = [each for each in lines if not (isinstance(each, dict) and "suite" in each)]
        return {**said, "inputs": inputs}
    parsed = _yaml(path, text)
    if not isinstance(parsed, dict):
        raise InvalidRequest(f"{path.name}: needs an object with {', '.join(SUITE)}")
    return parsed


def _json_lines(path: Path, text: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise InvalidRequest(f"{path.name}:{number}: no JSON ({error})") from None


def _yaml(path: Path, text: str) -> Any:
    if path.suffix.lower() == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            raise InvalidRequest(f"{path.name}: no JSON ({error})") from None
    return yaml_files.parsed(path.name, text)


def _inputs(said: dict[str, Any], folder: Path) -> Iterator[Any]:
    """A list, or the name of a file of JSON lines beside the suite."""
    inputs = said.get("inputs")
    if isinstance(inputs, str):
        file = folder / inputs
        yield from _json_lines(file, file.read_text(encoding="utf-8-sig"))
    elif isinstance(inputs, list):
        yield from inputs
    elif inputs is not None:
        raise InvalidRequest("inputs: needs a list, or the name of a file of JSON lines")


def _prompt_of(said: dict[str, Any], folder: Path) -> str:
    if "prompt" in said and "prompt_file" in said:
        raise InvalidRequest("prompt_file: there is a prompt, too. Fix: remove one of them")
    if "prompt_file" in said:
        return (folder / str(said["prompt_file"])).read_text(encoding="utf-8-sig").strip()
    prompt = said.get("prompt", "")
    if not isinstance(prompt, str):
        raise InvalidRequest("prompt: needs a text. Fix: quote it")
    return prompt.strip()


def _mapping(said: dict[str, Any], name: str) -> dict[str, Any]:
    found = said.get(name) or {}
    if not isinstance(found, dict):
        raise InvalidRequest(f"{name}: needs an object")
    return found


def _cached(options: dict[str, Any]) -> dict[str, Any]:
    """With answers that can be repeated, also those of several turns, unless they say otherwise."""
    options = {"temperature": 0, **options}
    return {"cache": "auto" if options["temperature"] else "use", **options}


def _share(given: Any) -> float:
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= 1:
        return float(given)
    raise InvalidRequest("min_pass: needs a share from 0 to 1, as 0.95")


def _rubrics(place: str, given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    listed = given if isinstance(given, list) else [given]
    if not all(isinstance(each, str) and each.strip() for each in listed):
        raise InvalidRequest(f"{place}.{RUBRIC}: needs a text, or a list of texts")
    return tuple(listed)


def _refuse_unknown(said: dict[str, Any]) -> None:
    if unknown := said.keys() - {*SUITE}:
        name = min(map(str, unknown))
        raise InvalidRequest(f"{name}: no part of a suite. Fix: one of {', '.join(SUITE)}")


def _refuse_misspelt(place: str, given: dict[str, Any]) -> None:
    """A misspelt check would be a column that nobody looks at."""
    for key in given.keys() - {*KINDS}:
        if difflib.get_close_matches(str(key), KINDS, 1, 0.8):
            raise InvalidRequest(_no_check(f"{place}.{key}", key))


def _no_check(place: str, key: Any) -> str:
    near = difflib.get_close_matches(str(key), KINDS, 1, 0.6)
    fix = f"did you mean {near[0]}?" if near else f"one of {', '.join(KINDS)}"
    return f"{place}: no check. Fix: {fix}"


def _refuse_twice(questions: list[Question]) -> None:
    """Names tell the runs' answers apart."""
    seen: set[str] = set()
    for each in questions:
        if each.name in seen:
            raise InvalidRequest(f"name {each.name!r}: two inputs have it. Fix: rename one")
        seen.add(each.name)
