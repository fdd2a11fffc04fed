"""`.env` in the working directory: commands and workers take it for more of the environment.

A variable that is set wins over it. A web app that imports `producer` has its own way to read one,
so importing reads nothing.
"""

import fcntl
import os
from pathlib import Path

from dotenv import dotenv_values

from .settings import SettingsError

FILE = ".env"
OF_UP = ".completions/env"
"""Written by `completions up`; where its server is counts while it runs, whatever `.env` says."""
LOCK = ".completions/lock"
"""Held while it runs."""
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
    for file in (OF_UP, FILE) if _up_runs() else (FILE,):
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


def _up_runs() -> bool:
    try:
        with open(LOCK) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def environment() -> dict[str, str]:
    """A copy, for a process that is to be started."""
    return dict(os.environ)
