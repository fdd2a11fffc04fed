"""What a web app imports: `from producer import complete`.

Each name is loaded when it is first used, so that importing this package loads neither Celery nor
redis-py. It never imports `worker` or a provider's SDK.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .batches import Batch
    from .client import complete, configure
    from .contract import errors
    from .contract.completions import Completion
    from .contract.errors import JobError
    from .contract.hygiene import untrusted
    from .contract.options import EmbedOptions, Messages, Options
    from .contract.requests import CompletionRequest
    from .contract.used_limits import UsedLimit
    from .embeddings import EmbeddingJob, Embeddings, embed
    from .integration import integrate
    from .jobs import Job
    from .ledger_replies import JobStatus, Progress
    from .summaries import summarize
    from .user_limits import limits, user_as_counted

__all__ = [
    "Batch",
    "Completion",
    "CompletionRequest",
    "EmbedOptions",
    "EmbeddingJob",
    "Embeddings",
    "Job",
    "JobError",
    "JobStatus",
    "Messages",
    "Options",
    "Progress",
    "UsedLimit",
    "complete",
    "configure",
    "embed",
    "errors",
    "integrate",
    "limits",
    "summarize",
    "untrusted",
    "user_as_counted",
]

_MODULES = {
    "Batch": ".batches",
    "complete": ".client",
    "configure": ".client",
    "integrate": ".integration",
    "limits": ".user_limits",
    "summarize": ".summaries",
    "Job": ".jobs",
    "JobStatus": ".ledger_replies",
    "Progress": ".ledger_replies",
    "Messages": ".contract.options",
    "Options": ".contract.options",
    "EmbedOptions": ".contract.options",
    "embed": ".embeddings",
    "EmbeddingJob": ".embeddings",
    "Embeddings": ".embeddings",
    "Completion": ".contract.completions",
    "CompletionRequest": ".contract.requests",
    "JobError": ".contract.errors",
    "UsedLimit": ".contract.used_limits",
    "untrusted": ".contract.hygiene",
    "user_as_counted": ".user_limits",
}


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module(".contract.errors", __name__)
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_MODULES[name], __name__), name)
    globals()[name] = found  # the next one who asks finds it without this function
    return found


def __dir__() -> list[str]:
    return __all__
