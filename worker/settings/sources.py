"""Where settings come from: environment and `.env`, files in `LLM_SECRETS_DIR`, a secret manager.

The first that has a variable wins. Files and manager are read once for all slices. Files are read
here and not by pydantic-settings' source, because that passes over what it cannot read: a folder in
a file's place, a dangling link.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, get_args

from pydantic import AfterValidator, SecretStr, ValidationError
from pydantic_settings import EnvSettingsSource

from producer import env_file

from . import managers
from .base import OUR_PREFIXES, Problem, Seconds, Slice, invalid, variable

FOLDER = "LLM_SECRETS_DIR"


def _known_manager(value: str | None) -> str | None:
    if value and (problem := managers.problem_with(value)):
        raise ValueError(problem)
    return value


class SourceSettings(Slice):
    """Where variables are besides the environment; these are read from that alone."""

    folder: Path | None = variable(FOLDER, None)
    manager: Annotated[str | None, AfterValidator(_known_manager)] = variable(
        "LLM_SECRET_MANAGER", None
    )
    reload_s: Seconds = variable("LLM_SECRETS_RELOAD_SECONDS", 60.0)
    """At most how often a running worker reads keys again."""

    @property
    def changing(self) -> bool:
        """Whether a variable may change while the process runs."""
        return bool(self.folder or self.manager)


S = TypeVar("S", bound=Slice)


class Source(NamedTuple):
    """One place where variables are."""

    name: str
    variables: Mapping[str, str] | None
    """By name in small letters; None: those of the environment."""

    def origin_of(self, variable: str) -> str:
        """What `.env` adds to the environment is told apart."""
        if self.variables is None:
            return env_file.origins.get(variable, self.name)
        return self.name


VENDORS_OWN = re.compile(
    "(?!(OPENAI|ANTHROPIC|GOOGLE)_(API_KEY|BASE_URL)$)"
    "(OPENAI|ANTHROPIC|GOOGLE|GEMINI)_?(API|BASE)?_?(KEY|URL|BASE|TOKEN)"
)
"""What a vendor's key or address is called by people who misremember it."""


def _looks_like_ours(name: str) -> bool:
    if name.startswith("LLM_LINK_"):
        return False
    return name.startswith(("LLM_", "LEDGER_")) or bool(VENDORS_OWN.fullmatch(name))


class Sources:
    """One reading of all sources."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        """What is wrong, each with its fix; no value is ever in there."""
        self.origins: dict[str, str] = {}
        """Variable -> where its value is from. Of the variables that are set nowhere, only the
        secrets.
        """
        self._sources = [Source("environment", None)]
        """The last one wins."""
        self.settings = self.read(SourceSettings) or SourceSettings()
        if folder := self.settings.folder:
            self._sources.insert(0, Source(FOLDER, self._read_folder(folder)))
        if manager := self.settings.manager:
            self._sources.insert(0, Source(manager, self._read_manager(manager)))

    def read(self, slice_: type[S], prefix: str = "") -> S | None:
        """The slice, its variables beginning with `prefix`.

        None if anything is wrong, which is added to `problems`.
        """
        for name in _secret_fields(slice_):
            self.origins[_variable_of(slice_, name, prefix)] = "default"
        values: dict[str, Any] = {}
        for source in self._sources:
            found = _Variables(slice_, prefix, source.variables)()
            for name in found:
                variable = _variable_of(slice_, name, prefix)
                self.origins[variable] = source.origin_of(variable)
            values |= found
        try:
            return slice_(**values)
        except ValidationError as error:
            for item in error.errors(include_url=False, include_input=False, include_context=False):
                name = _variable_of(slice_, str(item["loc"][0]), prefix)
                reason = item["msg"].removeprefix("Value error, ")
                self.problems.append(invalid(name, reason, _fix(slice_, name)))
            return None

    def unknown(self, known: set[str]) -> list[str]:
        """Variables of the environment that look like ours and are none: misspelt, most likely."""
        names = (name.upper() for name in _Variables(Slice, "", None).env_vars)
        return sorted(name for name in names if name not in known and _looks_like_ours(name))

    def _read_folder(self, folder: Path) -> dict[str, str]:
        """The files that are named like variables of ours, in small letters."""
        try:
            paths = sorted(folder.expanduser().iterdir())
        except OSError as error:
            reason = f"cannot be listed: {error.strerror}"
            fix = "name a folder that the worker may read"
            self.problems.append(invalid(FOLDER, reason, fix))
            return {}
        found = {}
        for path in paths:
            name = path.name.lower()
            if name.startswith(OUR_PREFIXES):
                try:
                    found[name] = path.read_text(encoding="utf-8").strip()
                except OSError as error:
                    self._unreadable_file(path, str(error.strerror))
                except UnicodeError:
                    self._unreadable_file(path, "it is no text")
        return found

    def _unreadable_file(self, path: Path, why: str) -> None:
        reason = f"{path.name} cannot be read: {why}"
        self.problems.append(invalid(FOLDER, reason, "make it a readable text file"))

    def _read_manager(self, manager: str) -> dict[str, str]:
        try:
            return managers.read(manager)
        except managers.Unreadable as error:
            self.problems.append(invalid("LLM_SECRET_MANAGER", error.reason, error.fix))
            return {}


class _Variables(EnvSettingsSource):
    """A slice's variables in a mapping, None: in the environment.

    By the names of variables alone: the name of a field, like "url", is none.
    """

    def __init__(
        self, slice_: type[Slice], prefix: str, variables: Mapping[str, str] | None
    ) -> None:
        super().__init__(slice_, env_prefix=prefix)
        self.config = {**self.config, "populate_by_name": False}
        if variables is not None:
            self.env_vars = {name: value for name, value in variables.items() if value}


def _secret_fields(slice_: type[Slice]) -> list[str]:
    return [
        name
        for name, field in slice_.model_fields.items()
        if SecretStr in (field.annotation, *get_args(field.annotation))
    ]


def _variable_of(slice_: type[Slice], name: str, prefix: str) -> str:
    """The variable of a field. pydantic names a value that was given by its variable already."""
    if prefix:
        return prefix + name.upper()
    if name in slice_.model_fields:
        return str(slice_.model_fields[name].validation_alias)
    return name


def _fix(slice_: type[Slice], name: str) -> str:
    """What to do about a wrong variable: its default is an example, where it is one word."""
    for field in slice_.model_fields.values():
        if field.validation_alias == name and isinstance(field.default, str | int | float):
            return f"export {name}={field.default}"
    return f"unset {name} or give a valid value"
