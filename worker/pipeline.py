"""The mission's sentence: cache lookup, rate and budget checks, then the provider chain; audited.
Nothing else may move in here.

No Celery, no Redis, no SDK, no logging, no retry: what fails is raised, and `tasks.py` asks
`retry.py`.
"""

from producer.contract.completions import Completion, Usage
from producer.contract.errors import Filtered, Refused, Truncated

from .audit.writer import Audit
from .budgets.quota import Quota
from .cache import Cache
from .ledger.running_job import Candidate, Job
from .output_filters import OutputFilters
from .providers import Reply
from .providers.caller import ProviderCaller
from .settings import RetrySettings


class AskAgain(Exception):
    """Answered and paid for, but not as asked: one more try. `fault` is how the attempt is
    remembered.
    """

    def __init__(self, reason: str, fault: str, double_max_tokens: bool = False) -> None:
        super().__init__(reason, fault, double_max_tokens)
        self.reason = reason
        self.fault = fault
        self.double_max_tokens = double_max_tokens
        """Whether the next try gets twice the tokens."""

    def __str__(self) -> str:
        return self.reason


class Pipeline:
    def __init__(
        self,
        audit: Audit,
        cache: Cache,
        quota: Quota,
        chain: ProviderCaller,
        filters: OutputFilters,
        settings: RetrySettings,
    ) -> None:
        self.audit = audit
        self.cache = cache
        self.quota = quota
        self.chain = chain
        self.filters = filters
        self._settings = settings

    def run(self, job: Job) -> Completion:
        """Answer one job. Raises `JobError` (final), `ProviderError`, `Deferred`, `AskAgain` (try
        again) or `LeaseLost`.
        """
        self.audit.asked(job)
        if cached := self.cache.get(job):
            self.audit.answered(job, "cache", cached.text, cached.tool_calls)
            return cached
        with (
            self.quota.reserve(job, self.chain.selection.candidates(job)) as reservation,
            self.audit.failures(job),
        ):
            reply, price = self.chain.call(
                job,
                reservation.chosen,
                reservation.number,
                job.remaining_s(self._settings.deadline_s),
            )
            reservation.settle(price.micro_usd, reply.usage)
        self.audit.answered(job, job.link, reply.text, reply.tool_calls)
        completion = self._completed(job, reservation.chosen, reply)
        self.cache.put(job, completion)
        return completion

    def fallback_answer(self, job: Job) -> Completion | None:
        """When every provider failed: a stale answer, else the configured static one, else nothing.
        Both are marked.
        """
        rescued = self.cache.stale(job) or self._static(job)
        if rescued:
            self.audit.answered(job, str(rescued.degraded), rescued.text, rescued.tool_calls)
        return rescued

    def _completed(self, job: Job, chosen: Candidate, reply: Reply) -> Completion:
        link = chosen.link
        if reply.finish in ("refusal", "content_filter"):
            raise Refused(
                f"{link.name} declined to answer ({reply.finish})", {"reason": reply.finish}
            )
        if reply.finish == "length":
            self._truncated(job, chosen, reply)
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
            flags=self._filtered(job, chosen, reply),
            trimmed=chosen.trimmed,
        )

    def _truncated(self, job: Job, chosen: Candidate, reply: Reply) -> None:
        """Never silently: once more with twice the tokens, or an error, or the caller has said that
        it may be.
        """
        asked = (
            job.request.on_truncation == "retry"
            and not job.double_max_tokens
            and self.chain.selection.grows(job, chosen)
        )
        if asked and self._affords(job, 2 * chosen.micro_usd):
            raise AskAgain(
                "answered, but cut at max_tokens: once more with twice as many",
                "truncated",
                double_max_tokens=True,
            )
        if job.request.on_truncation == "accept":
            return
        thought = reply.usage.reasoning if reply.usage else 0
        where = (
            f"all of it went into reasoning ({thought:,} tokens)"
            if thought and not reply.text
            else "it is cut there"
        )
        raise Truncated(
            f"the answer stopped at max_tokens={chosen.max_tokens:,}; {where}. Fix: raise max_tokens or shorten the prompt",
            {
                "partial_text": reply.text,
                "max_tokens": chosen.max_tokens,
                "reasoning_tokens": thought,
            },
        )

    def _filtered(self, job: Job, chosen: Candidate, reply: Reply) -> tuple[str, ...]:
        """What the output filters flag. Raises `AskAgain` or `Filtered` if one of them wants that."""
        if reply.tool_calls and not reply.text:
            return ()
        found = self.filters.check(job.request, reply.text)
        first = not any(fault == "filtered" for _, fault in job.tried)
        if found.action == "retry" and first and self._affords(job, chosen.micro_usd):
            raise AskAgain(
                f"answered, but the filter {found.filter} says: {found.reason}; once more",
                "filtered",
            )
        if found.action:
            raise Filtered(
                f"the answer was withheld by the output filter {found.filter}: {found.reason}",
                {"filter": found.filter, "reason": found.reason},
            )
        return found.flags

    def _affords(self, job: Job, micro_usd: int) -> bool:
        return self.quota.affords(job, job.bill.micro_usd + micro_usd)

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
