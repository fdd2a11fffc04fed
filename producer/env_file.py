"""`.env` in the working directory: commands and workers take it for more of the environment.

A variable that is set wins over it. A web app that imports `producer` has its own way to read one,
so importing reads nothing.
"""

import os
from pathlib import Path

from dotenv import dotenv_values

from .settings import SettingsError

FILES = (".env", ".completions/env")
"""In this order; the second one is written by `completions up`, and is there while that runs."""
OURS = (
    *("LLM_", "LEDGER_", "REDIS_", "CELERY_", "FLOWER_"),
    *("OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_"),
)
"""What else is in the file is for other programs."""

origins: dict[str, str] = {}
"""Variable -> the file that it is from."""


def read() -> bool:
    """Take each variable of ours that is not set; whether there was any.

    Raises `SettingsError` for what is no text.
    """
    for file in FILES:
        if not Path(file).is_file():
            continue
        try:
            found = dotenv_values(file, interpolate=False)
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text in UTF-8"
            raise SettingsError(f"{file} cannot be read: {why}. Fix: mend or move it") from None
        for name, value in found.items():
            if value and name.startswith(OURS) and not os.environ.get(name):
                os.environ[name] = value
                origins[name] = file
    return bool(origins)


def environment() -> dict[str, str]:
    """A copy, for a process that is to be started."""
    return dict(os.environ)
