"""Where settings come from: the environment, then files in `LLM_SECRETS_DIR`, then one secret
manager. Only this file knows.

Files and manager are read once for all slices. The managers are pydantic-settings' own sources.
Files are read here, because its source passes over what it cannot read: a folder in a file's place,
a dangling link.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Annotated, Any, TypeVar, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticUndefined
from pydantic_settings import (
    AWSSecretsManagerSettingsSource,
    AzureKeyVaultSettingsSource,
    EnvSettingsSource,
    GoogleSecretManagerSettingsSource,
)

from .base import Problem, Slice

PATIENCE_S = 15.0
"""A manager that has not answered by then is away: the vendors' libraries would go on for minutes."""
_SERVERS = tuple(
    f"{vendor}_{name}"
    for vendor in ("openai", "anthropic", "google")
    for name in ("api_key", "base_url")
)
OURS = ("llm_", "ledger_", "redis_", "celery_", *_SERVERS)
"""How our variables begin. What else is in a folder, a project or a vault is left alone."""


class SourceSettings(Slice):
    """Where variables are besides the environment, from which alone these are read."""

    folder: Path | None = Field(None, validation_alias="LLM_SECRETS_DIR")
    manager: str | None = Field(None, validation_alias="LLM_SECRET_MANAGER")
    reload_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        60.0, validation_alias="LLM_SECRETS_RELOAD_SECONDS"
    )
    """At most how often a running worker reads keys again."""

    @field_validator("manager")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        kind, _, name = (value or "").partition(":")
        if value and not (
            kind in MANAGERS and name and (kind != "azure" or name.startswith("https://"))
        ):
            raise ValueError(
                "write aws:SECRET_ID, gcp:PROJECT or azure:https://NAME.vault.azure.net"
            )
        return value

    @property
    def changing(self) -> bool:
        """Whether a variable may change while the process runs."""
        return bool(self.folder or self.manager)


S = TypeVar("S", bound=Slice)
T = TypeVar("T")


class Sources:
    """One reading of all sources. What is wrong is gathered in `problems`, each with its fix; no
    value is ever in there.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.origins: dict[str, str] = {}
        """Variable -> where its value is from; of variables that nobody gives, only the secrets."""
        self._return_or_raise: list[tuple[str, Mapping[str, str] | None]] = [("environment", None)]
        self.settings = self.read(SourceSettings) or SourceSettings()
        folder, manager = self.settings.folder, self.settings.manager
        if folder:
            self._return_or_raise.insert(0, ("LLM_SECRETS_DIR", self._files(folder)))
        if manager:
            self._return_or_raise.insert(0, (manager, self._managed(manager)))

    def read(self, slice_: type[S], prefix: str = "") -> S | None:
        """The slice, its variables beginning with `prefix`; None if anything is wrong, which is
        added to `problems`.
        """
        values: dict[str, Any] = {}
        for name, field in slice_.model_fields.items():
            if SecretStr in (field.annotation, *get_args(field.annotation)):
                self.origins[_variable(slice_, name, prefix)] = "default"
        for origin, variables in self._return_or_raise:
            given = _Variables(slice_, prefix, variables)()
            self.origins |= {_variable(slice_, name, prefix): origin for name in given}
            values |= given
        try:
            return slice_(**values)
        except ValidationError as error:
            for item in error.errors(include_url=False, include_input=False, include_context=False):
                variable = _variable(slice_, str(item["loc"][0]), prefix)
                self._wrong(
                    variable, item["msg"].removeprefix("Value error, "), _fix(variable, slice_)
                )
            return None

    def unknown(self, known: set[str]) -> list[str]:
        """Variables of the environment that look like ours and are none: misspelt, most likely."""
        given = (
            name.upper()
            for name in _Variables(Slice, "", None).env_vars
            if name.startswith(("llm_", "ledger_"))
        )
        return sorted(
            name for name in given if name not in known and not name.startswith("LLM_LINK_")
        )

    def _files(self, folder: Path) -> dict[str, str]:
        found: dict[str, str] = {}
        try:
            paths = sorted(folder.expanduser().iterdir())
        except OSError as error:
            self._wrong(
                "LLM_SECRETS_DIR",
                f"cannot be listed: {error.strerror}",
                "name a folder that the worker may read",
            )
            return found
        for path in paths:
            if path.name.lower().startswith(OURS):
                try:
                    found[path.name.lower()] = path.read_text(encoding="utf-8").strip()
                except (OSError, UnicodeError) as error:
                    reason = error.strerror if isinstance(error, OSError) else "it is no text"
                    self._wrong(
                        "LLM_SECRETS_DIR",
                        f"{path.name} cannot be read: {reason}",
                        "make it a readable text file",
                    )
        return found

    def _managed(self, manager: str) -> dict[str, str]:
        kind, _, name = manager.partition(":")
        try:
            return _in_time(lambda: dict(_ours(MANAGERS[kind](name))))
        except ImportError:
            reason, fix = (
                f"the libraries for {kind} are not installed",
                f"pip install 'celery-completions[{kind}]'",
            )
        except TimeoutError:
            reason, fix = (
                f"{manager} has not answered in {PATIENCE_S:.0f} s",
                "check the way to it and the credentials",
            )
        except _Unusable as error:
            reason, fix = f"{manager} {error.reason}", error.fix
        except Exception as error:  # noqa: BLE001 -- every vendor raises its own; their words might hold a value
            reason, fix = (
                f"{manager} cannot be read ({_code(error)})",
                "check its name, the credentials and what they may read",
            )
        self._wrong("LLM_SECRET_MANAGER", reason, fix)
        return {}

    def _wrong(self, variable: str, reason: str, fix: str) -> None:
        self.problems.append(
            Problem(variable, f"Invalid env var: {variable}: {reason}. Fix: {fix}")
        )


class _Variables(EnvSettingsSource):
    """Variables of a mapping, None: of the environment. By their names alone: that of a field, like
    "url", is none.
    """

    def __init__(
        self, slice_: type[Slice], prefix: str, variables: Mapping[str, str] | None
    ) -> None:
        super().__init__(slice_, env_prefix=prefix)
        self.config = {**self.config, "populate_by_name": False}
        if variables is not None:
            self.env_vars = {name: value for name, value in variables.items() if value}


def _variable(slice_: type[Slice], place: str, prefix: str) -> str:
    """By a field's name, or by its variable, which is how pydantic names a value that was given."""
    if prefix:
        return prefix + place.upper()
    return (
        str(slice_.model_fields[place].validation_alias) if place in slice_.model_fields else place
    )


def _fix(variable: str, slice_: type[Slice]) -> str:
    field = next((f for f in slice_.model_fields.values() if f.validation_alias == variable), None)
    example = field.get_default(call_default_factory=False) if field else None
    return (
        f"export {variable}={example}"
        if example not in (None, "", PydanticUndefined)
        else f"unset {variable} or give a valid value"
    )


class _Unusable(Exception):
    """A manager's answer is not what we can use: `reason` and `fix` in words without a value."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason, fix)
        self.reason = reason
        self.fix = fix


def _aws(secret_id: str) -> EnvSettingsSource:
    try:
        return AWSSecretsManagerSettingsSource(Slice, secret_id, case_sensitive=False)
    except (json.JSONDecodeError, AttributeError, KeyError):
        raise _Unusable(
            "holds no JSON object", 'store one of variables, {"OPENAI_API_KEY": "..."}'
        ) from None


def _gcp(project: str) -> EnvSettingsSource:
    # Case-sensitively it would be asked for every variable there is; so it lists the project, once.
    return GoogleSecretManagerSettingsSource(Slice, project_id=project, case_sensitive=False)


def _azure(url: str) -> EnvSettingsSource:
    from azure.identity import DefaultAzureCredential

    return AzureKeyVaultSettingsSource(Slice, url, DefaultAzureCredential())


MANAGERS: dict[str, Callable[[str], EnvSettingsSource]] = {
    "aws": _aws,
    "gcp": _gcp,
    "azure": _azure,
}


def _ours(source: EnvSettingsSource) -> Iterator[tuple[str, str]]:
    """Our variables in a manager, in small letters as pydantic-settings looks for them."""
    source()  # Google's connects only now
    for name in source.env_vars:
        variable = name.replace("-", "_")
        if variable.islower() and variable.startswith(OURS):
            value = source.env_vars[name]
            if (
                value is None
            ):  # Google's says so of whatever it fails to read; a limit must not get lost like that
                raise _Unusable(
                    f"lists {variable.upper()} and gives no value",
                    "grant the right to read it, or take it away",
                )
            yield variable, str(value).strip()


def _in_time(read: Callable[[], T]) -> T:
    """What `read` gives or raises; `TimeoutError` when it takes longer than `PATIENCE_S`."""
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(read())
        except BaseException as error:  # noqa: BLE001 -- it is raised in the thread that waits
            result.set_exception(error)

    Thread(target=run, name="secrets", daemon=True).start()
    return result.result(PATIENCE_S)


def _code(error: Exception) -> str:
    """The kind of an error; of AWS's general one, what the service calls it."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return code or type(error).__name__
