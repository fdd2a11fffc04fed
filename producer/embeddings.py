"""`embed`: texts as vectors, in jobs of the same ledger, limits, cache and lanes as `complete`."""

from collections.abc import Generator, Iterable
from typing import Any

from .client import AnyJob, complete
from .contract.embeddings import Embeddings, as_texts, called_with
from .contract.errors import InvalidRequest

__all__ = ["EmbeddingJob", "Embeddings", "embed"]


class EmbeddingJob(AnyJob):
    """A job whose answer is `Embeddings`."""

    def value(self, timeout: float | None = None) -> Embeddings:
        """Wait for the vectors. Raises as `Job.value`."""
        return Embeddings.of(self._completion(timeout))

    def __await__(self) -> Generator[Any, None, Embeddings]:
        """`await job`: like `value()`, without blocking the event loop."""
        return self._embeddings().__await__()

    async def _embeddings(self) -> Embeddings:
        return Embeddings.of(await self._awaited())


class Embed:
    """`embed.delay(texts, user_id, **options)`, in Celery's calling styles.

    `texts`: 1 to 2,048 texts, or one. Options: `model` (a link of `LLM_EMBEDDING_CHAIN`, or the
    model of one; its first by default), `dimensions` (fewer numbers in each vector, where the model
    can), and of `complete`'s those that mean something here (`OPTIONS`).
    """

    def delay(self, texts: Any, user_id: Any, **options: Any) -> EmbeddingJob:
        return self.apply_async((texts, user_id), options)

    def apply_async(
        self, args: Any = (), kwargs: Any = None, task_id: str | None = None, **options: Any
    ) -> EmbeddingJob:
        """Raises as `complete.apply_async`."""
        fields = called_with(args, kwargs)
        try:
            job = complete.apply_async((), fields, task_id, **options)
        except InvalidRequest as error:
            raise as_texts(error) from None
        return self.AsyncResult(job.id)

    def many(self, requests: Iterable[Any], user_id: str, **options: Any) -> list[EmbeddingJob]:
        """Submit many jobs at once: each is a list of texts, or a dict of `embed`'s arguments that
        win over `options` (also `task_id`). Raises as `complete.many`.
        """
        asked = [_numbered(number, each, options) for number, each in enumerate(requests)]
        try:
            jobs = complete.many(asked, user_id)
        except InvalidRequest as error:
            raise as_texts(error) from None
        return [self.AsyncResult(job.id) for job in jobs]

    def signature(self, args: Any = (), kwargs: Any = None, **options: Any) -> Any:
        """A step of a canvas, as Celery's."""
        return complete.signature((), called_with(args, kwargs), **options)

    def s(self, *args: Any, **kwargs: Any) -> Any:
        return self.signature(args, kwargs)

    def si(self, *args: Any, **kwargs: Any) -> Any:
        return self.signature(args, kwargs, immutable=True)

    def AsyncResult(self, task_id: str, **kwargs: Any) -> EmbeddingJob:
        return EmbeddingJob(task_id, app=complete.app, task_name=complete.name, **kwargs)


def _numbered(number: int, request: Any, options: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(request, dict):
        request = {"texts": request}
    fields = options | request
    task = {"task_id": fields.pop("task_id")} if "task_id" in fields else {}
    try:
        return called_with((), fields) | task
    except InvalidRequest as error:
        details = {**error.details, "number": number}
        raise InvalidRequest(f"requests[{number}]: {error.message}", details) from None


embed = Embed()
