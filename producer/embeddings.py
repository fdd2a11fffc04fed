"""`embed`: texts as vectors, in jobs of the same ledger, limits, cache and lanes as `complete`."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from .calling import checked_as_request
from .client import complete
from .contract.embeddings import Embeddings, as_texts, called_with
from .contract.errors import InvalidRequest
from .contract.options import CeleryOptions, EmbedCallOptions, EmbedOptions
from .jobs import AnyJob

if TYPE_CHECKING:
    from celery.canvas import Signature

__all__ = ["EmbeddingJob", "Embeddings", "embed"]

Texts = str | Sequence[str]
Args = tuple[()] | tuple[Texts] | tuple[Texts, str] | list[Any]


class EmbeddingJob(AnyJob[Embeddings]):
    """A job whose answer is `Embeddings`."""

    def value(self, timeout: float | None = None) -> Embeddings:
        """Wait for the vectors. Raises as `Job.value`."""
        return Embeddings.of(self._completion(timeout))

    async def _answer(self) -> Embeddings:
        return Embeddings.of(await self._awaited())


class Embed:
    """`embed.delay(texts, user_id, **options)`, in Celery's calling styles."""

    @checked_as_request
    def delay(self, texts: Texts, user_id: str, **options: Unpack[EmbedOptions]) -> EmbeddingJob:
        """Submit texts and return their job at once: `job.value(timeout).vectors`.

        `texts`: 1 to 2,048 texts, or one. Options: `model` (a link of `LLM_EMBEDDING_CHAIN`, or the
        model of one; its first by default), `dimensions` (fewer numbers in each vector, where the
        model can), and of `complete`'s those that mean something here: docs/embeddings.md.
        Raises as `complete.delay`.
        """
        return self.apply_async((texts, user_id), options)

    @checked_as_request
    async def adelay(
        self, texts: Texts, user_id: str, **options: Unpack[EmbedOptions]
    ) -> EmbeddingJob:
        """`delay` for async code, as `complete.adelay`."""
        return await asyncio.to_thread(self.apply_async, (texts, user_id), options)

    def apply_async(
        self,
        args: Args = (),
        kwargs: EmbedOptions | EmbedCallOptions | None = None,
        task_id: str | None = None,
        **options: Unpack[CeleryOptions],
    ) -> EmbeddingJob:
        """Raises as `complete.apply_async`."""
        fields: Any = called_with(args, kwargs)
        try:
            job = complete.apply_async((), fields, task_id, **options)
        except InvalidRequest as error:
            raise as_texts(error) from None
        return self.AsyncResult(job.id)

    def many(
        self,
        requests: Iterable[Texts | Mapping[str, object]],
        user_id: str,
        **options: Unpack[EmbedOptions],
    ) -> list[EmbeddingJob]:
        """Submit many jobs at once: each is a list of texts, or a dict of `embed`'s arguments that
        win over `options` (also `task_id`). Raises as `complete.many`.
        """
        asked = [_numbered(number, each, {**options}) for number, each in enumerate(requests)]
        try:
            jobs = complete.many(asked, user_id)
        except InvalidRequest as error:
            raise as_texts(error) from None
        return [self.AsyncResult(job.id) for job in jobs]

    def signature(self, args: Any = (), kwargs: Any = None, **options: Any) -> "Signature":
        """A step of a canvas, as Celery's."""
        return complete.signature((), called_with(args, kwargs), **options)

    def s(self, *args: Texts, **kwargs: Unpack[EmbedCallOptions]) -> "Signature":
        return self.signature(args, kwargs)

    def si(self, *args: Texts, **kwargs: Unpack[EmbedCallOptions]) -> "Signature":
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
