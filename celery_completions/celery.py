"""The worker's Celery app, which `celery -A celery_completions worker` finds here."""

from importlib import import_module
from typing import Any

from .private import PREFIX


def __getattr__(name: str) -> Any:
    """`app`, created when it is first asked for."""
    if name == "app":
        return import_module(f"{PREFIX}worker").app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
