"""The worker: takes jobs from the broker, answers them through the provider chain, settles them in
the ledger.
"""

from importlib.util import find_spec as _find_spec
from pathlib import Path as _Path

if __name__ == "worker":
    _found = _find_spec("producer")
    if _found and _found.origin and not _Path(_found.origin).with_name("contract").exists():
        raise ImportError(
            f"producer is {_found.origin}: not ours. "
            "Fix: celery -A celery_completions worker, which does not need that name"
        )
