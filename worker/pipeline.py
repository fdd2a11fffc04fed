"""The mission's sentence: cache lookup, rate and budget checks, then the provider chain. Nothing else may move in here.

No Celery, no Redis, no SDK, no logging, no retry: what fails is raised, and `tasks.py` asks `retry.py`.
"""

from producer.contract.errors import Refused, Truncated
from producer.contract.messages import Completion, Usage

from .cache import Cache
from .jobs import Candidate, Job
from .providers import Reply
from .providers.chain import Chain
from .quota import Quota
from .settings import RetrySettings


class MoreTokens(Exception):
    """The answer was cut at max_tokens and the request asks for one more try with twice as many."""

    def __str__(self) -> str:
        return "answered, but cut at max_tokens: once more with twice as many"


class Pipeline:
    def __init__(self, cache: Cache, quota: Quota, chain: Chain, settings: RetrySettings) -> None:
        self.cache = cache
        self.quota = quota
        self.chain = chain
        self._settings = settings

    def run(self, job: Job) -> Completion:
        """Answer one job. Raises `JobError` (final), `ProviderError`, `Deferred`, `MoreTokens` (try again) or `LeaseLost`."""
        if cached := self.cache.get(job):
            return cached
        with self.quota.reserve(job, self.chain.candidates(job)) as reservation:
            reply, price = self.chain.call(
                job, reservation.chosen, reservation.number, job.remaining_s(self._settings.deadline_s)
            )
            reservation.settle(price.micro_usd, reply.usage)
        completion = self._completed(job, reservation.chosen, reply)
        self.cache.put(job, completion)
        return completion

    def rescue(self, job: Job) -> Completion | None:
        """When every provider failed: a stale answer, else the configured static one, else nothing. Both are marked."""
        return self.cache.stale(job) or self._static(job)

    def _completed(self, job: Job, chosen: Candidate, reply: Reply) -> Completion:
        link = chosen.link
        if reply.finish in ("refusal", "content_filter"):
            raise Refused(f"{link.name} declined to answer ({reply.finish})", {"reason": reply.finish})
        if reply.finish == "length" and self._may_grow(job, chosen):
            raise MoreTokens
        if reply.finish == "length" and job.request.on_truncation != "accept":
            raise Truncated(
                "the answer stopped at max_tokens. Fix: raise max_tokens or shorten the prompt",
                {"partial_text": reply.text},
            )
        return Completion(
            text=reply.text,
            tool_calls=reply.tool_calls,
            finish_reason=reply.finish,
            model=reply.model,
            provider=link.provider,
            usage=reply.usage or Usage(),
            cost_usd=(job.spent_micro + job.bill.micro_usd) / 1_000_000,
            attempts=job.attempts,
            latency_ms=job.provider_ms,
            request_id=job.id,
        )

    def _may_grow(self, job: Job, chosen: Candidate) -> bool:
        asked = job.request.on_truncation == "retry" and not job.grow
        return asked and self.quota.affords(job, job.bill.micro_usd + 2 * chosen.micro_usd)

    def _static(self, job: Job) -> Completion | None:
        if self._settings.static_fallback is None:
            return None
        return Completion(
            text=self._settings.static_fallback,
            finish_reason="stop",
            model="static",
            provider="static",
            usage=Usage(),
            cost_usd=(job.spent_micro + job.bill.micro_usd) / 1_000_000,
            degraded="static",
            attempts=job.attempts,
            latency_ms=0,
            request_id=job.id,
        )
