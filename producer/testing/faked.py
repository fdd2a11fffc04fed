"""The switch: for as long as it is on, this process's jobs are answered in memory."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

from .. import client, current, publishing, waiting
from ..celery_app import new_app
from ..settings import ProducerSettings
from .fake import FakeCompletions

NOWHERE = "redis://completions.invalid:1/0"
"""Nothing connects there; a name under .invalid is nobody's (RFC 2606)."""
POLL_S = 0.001
"""Nothing is far away."""
BACKENDS = {"redis": f"{__package__}.results:MemoryResults"}


@contextmanager
def faked() -> Iterator[FakeCompletions]:
    """Answers all jobs of this process in memory: no Redis, no worker.

    What the app configures meanwhile, with `configure()` or the environment, changes nothing.
    """
    fake = FakeCompletions()
    settings = ProducerSettings.model_construct(url=NOWHERE, prefix=f"fake-{uuid4().hex}")
    app = new_app()
    app.loader.override_backends = BACKENDS

    before = publishing.current_app()
    with ExitStack() as stack:
        for module, name, value in (
            (current, "_client", fake.ledger),
            (current, "_settings", settings),
            (waiting, "POLL_S", POLL_S),
            (waiting, "AWAY_POLL_S", POLL_S),
            (client, "use_settings", lambda _: None),
            (client, "new_app", lambda: app),
            (publishing, "_app", app),
        ):
            stack.enter_context(_replaced(module, name, value))
        app.register_task(client.complete)
        try:
            yield fake
        finally:
            before.register_task(client.complete)


@contextmanager
def _replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    was = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, was)
