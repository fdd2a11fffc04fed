"""Both sides under a name that nobody else has, for projects with a `producer` or `worker` of their
own.

    from celery_completions import complete
    celery -A celery_completions worker

`celery_completions.producer` and `celery_completions.worker` are the packages beside this one,
loaded under these names (`private.py` says how). Nothing is loaded as `producer` or `worker`, and
no folder is added to the path: those names stay the project's. Whatever leaves the process has the
same names either way: tasks, queues, keys, stored errors.

A process should use one spelling. Under both it has everything twice: settings, connections, and
classes that are not each other's.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import private

if TYPE_CHECKING:
    from producer import (
        Batch,
        Completion,
        CompletionRequest,
        EmbeddingJob,
        Embeddings,
        EmbedOptions,
        Job,
        JobError,
        JobStatus,
        Messages,
        Options,
        Progress,
        UsedLimit,
        complete,
        configure,
        embed,
        errors,
        integrate,
        limits,
        summarize,
        untrusted,
        user_as_counted,
    )

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

private.install()


def __getattr__(name: str) -> Any:
    """What `producer` has."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.producer"), name)


def __dir__() -> list[str]:
    return __all__
