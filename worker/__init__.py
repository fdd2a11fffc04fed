"""The worker: takes jobs from the broker, answers them through the provider chain, settles them in
the ledger.
"""

import sys as _sys
from importlib.util import find_spec as _find_spec
from pathlib import Path as _Path
from typing import Any as _Any

if __name__ == "worker":
    _found = _find_spec("producer")
    if _found and _found.origin and not _Path(_found.origin).with_name("contract").exists():
        raise ImportError(
            f"producer is {_found.origin}: not ours. "
            "Fix: celery -A celery_completions worker, which does not need that name"
        )


def __getattr__(name: str) -> _Any:
    """`app`, for `celery -A worker`, which would hide what cannot be imported."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from .celery import app
    except ModuleNotFoundError as error:
        from producer.extras import needs

        if str(error.name).startswith(("producer", "worker", "celery_completions")):
            raise
        _sys.exit(f"No module {error.name}: {needs('the worker', 'worker')}")
    return app
