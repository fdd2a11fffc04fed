"""The secret managers of AWS, Google Cloud and Azure, by pydantic-settings' own sources.

Errors never hold a value of a variable: each vendor raises its own, and their words might.
"""

import json
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from pydantic_settings import (
    AWSSecretsManagerSettingsSource,
    AzureKeyVaultSettingsSource,
    EnvSettingsSource,
    GoogleSecretManagerSettingsSource,
)

from .base import OUR_PREFIXES, Slice

ANSWER_TIMEOUT_S = 15.0
"""A manager that has not answered by then is away; the vendors' libraries go on for minutes."""

T = TypeVar("T")


class Unreadable(Exception):
    """A manager gave nothing that can be used: `reason` and `fix`, in words without a value."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason, fix)
        self.reason = reason
        self.fix = fix


def problem_with(manager: str) -> str:
    """What is wrong with the name of a manager, "" if nothing is."""
    kind, _, name = manager.partition(":")
    if kind not in MANAGERS or not name or (kind == "azure" and not name.startswith("https://")):
        return "write aws:SECRET_ID, gcp:PROJECT or azure:https://NAME.vault.azure.net"
    return ""


def read(manager: str) -> dict[str, str]:
    """Our variables in a manager, in small letters as pydantic-settings looks for them.

    Raises `Unreadable`.
    """
    kind, _, name = manager.partition(":")
    try:
        return _in_time(lambda: _our_variables(manager, MANAGERS[kind](name)))
    except Unreadable:
        raise
    except ImportError:
        raise Unreadable(
            f"the libraries for {kind} are not installed",
            f"pip install 'celery-completions[{kind}]'",
        ) from None
    except TimeoutError:
        raise Unreadable(
            f"{manager} has not answered in {ANSWER_TIMEOUT_S:.0f} s",
            "check the way to it and the credentials",
        ) from None
    except Exception as error:  # noqa: BLE001 -- every vendor raises its own
        raise Unreadable(
            f"{manager} cannot be read ({_code(error)})",
            "check its name, the credentials and what they may read",
        ) from None


def _our_variables(manager: str, source: EnvSettingsSource) -> dict[str, str]:
    source()  # Google's connects only now
    found = {}
    for name, value in source.env_vars.items():
        variable = name.replace("-", "_")
        if not variable.islower() or not variable.startswith(OUR_PREFIXES):
            continue
        if value is None:
            # Google's says so of whatever it fails to read; a limit must not get lost like that.
            raise Unreadable(
                f"{manager} lists {variable.upper()} and gives no value",
                "grant the right to read it, or take it away",
            )
        found[variable] = str(value).strip()
    return found


def _aws(secret_id: str) -> EnvSettingsSource:
    try:
        return AWSSecretsManagerSettingsSource(Slice, secret_id, case_sensitive=False)
    except (json.JSONDecodeError, AttributeError, KeyError):
        raise Unreadable(
            f"aws:{secret_id} holds no JSON object",
            'store one of variables, {"OPENAI_API_KEY": "..."}',
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


def _in_time(question: Callable[[], T]) -> T:
    """What `question` gives or raises; `TimeoutError` if it takes longer than the timeout."""
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(question())
        except BaseException as error:  # noqa: BLE001 -- it is raised in the thread that waits
            result.set_exception(error)

    Thread(target=run, name="secrets", daemon=True).start()
    return result.result(ANSWER_TIMEOUT_S)


def _code(error: Exception) -> str:
    """The kind of an error; of AWS's general one, what the service calls it."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        code = response.get("Error", {}).get("Code")
        if code:
            return str(code)
    return type(error).__name__
