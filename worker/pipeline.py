"""One job: cache lookup, rate and budget checks, then the provider chain; audited.

Nothing else may move in here. No Celery, no Redis, no SDK, no logging, no retry: what fails is
raised, and `tasks.py` asks `retry.py`.
"""

from typing import TYPE_CHECKING, NoReturn

from producer.contract.completions import Completion, Usage
from producer.contract.errors import Filtered, JobError, Refused, Truncated

from .audit.writer import Audit
from .budgets.quota import Quota, hold_of
from .cache import Cache
from .faults import after_the_reply
from .ledger.attempt import NOT_CACHED, Attempt, Candidate
from .ledger.running_job import RunningJob
from .output_filters import OF_ITS_FORM, OutputFilters
from .output_filters.checker import Whose
from .output_filters.structured import corrected, times_unfit, verdict, wants_json
from .providers import Reply
from .providers.caller import ProviderCaller
from .providers.finish_reasons import WINDOW_FULL
from .settings import RetrySettings
from .telemetry.logs import spared

if TYPE_CHECKING:
    from .semantic.cache import SemanticCache


class AskAgain(Exception):
    """Answered and paid for, but not as asked: one more try.

    `fault` is how the attempt is remembered, with what is to be told of it (`PastAttempt`).
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
        near: "SemanticCache | None" = None,
    ) -> None:
        self.audit = audit
        self.cache = cache
        self.quota = quota
        self.chain = chain
        self.filters = filters
        self._settings = settings
        self._near = near

    def run(self, job: RunningJob, attempt: Attempt) -> Completion:
        """Answer one job; what is done for it is noted in `attempt`.

        Raises `JobError` (final), `ProviderError`, `Deferred`, `AskAgain` (try again), `LeaseLost`
        or `AnswerLost`.
        """
        asked = corrected(job)
        attempt.request = asked.request
        attempt.audited = self.audit.write_prompt(asked)
        search = self._near and self._near.begin(job)
        chosen = self._chosen_or_cached(job, asked, attempt)
        if search and isinstance(chosen, Candidate):
            chosen = search.answer(attempt) or chosen
        if isinstance(chosen, Completion):
            self._audit_answer(job, "cache", chosen)
            return chosen
        with hold_of(attempt), self.audit.failures(job, attempt):
            reply, bill = self.chain.call(asked, attempt, chosen, self._left_s(job))
            attempt.billed(bill)
        with after_the_reply(JobError, AskAgain):
            self._audit_answer(job, attempt.link, reply)
            completion = self._completed(job, attempt, chosen, reply)
        with spared("the cached answer"):
            attempt.cache_entry = self.cache.entry_for(
                job, attempt.place, completion, chosen.fallback
            )
        if search:
            search.learn(completion, kept=attempt.cache_entry is not None)
        return completion

    def _left_s(self, job: RunningJob) -> float:
        return min(job.remaining_s(self._settings.deadline_s), job.limit_left_s)

    def _chosen_or_cached(
        self, job: RunningJob, asked: RunningJob, attempt: Attempt
    ) -> Candidate | Completion:
        """The link to call, with its hold taken, or a fresh cached answer. `asked`: the job with
        what was wrong with its last answer.
        """
        candidates = self.chain.selection.candidates(asked)
        for question in (self.cache.question(job), NOT_CACHED):
            chosen = self.quota.take_hold(job, attempt, candidates, question)
            found = chosen or self.cache.fresh(job, attempt)
            if found:
                return found
        raise AssertionError("without a question the cache gives no answer")

    def fallback_answer(self, job: RunningJob, attempt: Attempt) -> Completion | None:
        """When every provider failed: a stale answer, else the configured static one, else nothing.

        Both are marked.
        """
        answer = self.cache.stale(job, attempt) or self._static(job, attempt)
        if answer:
            self._audit_answer(job, str(answer.degraded), answer)
        return answer

    def _audit_answer(self, job: RunningJob, source: str, answer: Completion | Reply) -> None:
        others = answer.others if isinstance(answer, Reply) else answer.choices[1:]
        text = "\n\n".join([answer.text, *(each.text for each in others)])
        calls = [*answer.tool_calls, *(call for each in others for call in each.tool_calls)]
        self.audit.write_answer(job, source, text, tuple(calls))

    def _completed(
        self, job: RunningJob, attempt: Attempt, chosen: Candidate, reply: Reply
    ) -> Completion:
        link = chosen.link
        if reply.declines and job.request.on_refusal != "accept":
            self._refuse(job, attempt, chosen, reply)
        if reply.finish == "length":
            self._check_truncated(job, attempt, chosen, reply)
        validated = self._is_structured(job, attempt, chosen, reply)
        return Completion(
            **reply.handed_on,
            finish_reason=reply.finish,
            model=reply.model,
            provider=link.provider,
            usage=reply.usage or Usage(),
            cost_usd=attempt.cost_usd(job),
            maybe_billed_usd=attempt.maybe_billed_usd(job),
            cost_basis=attempt.bill.basis,
            provider_cost_usd=_dollars(reply.charged_micro_usd),
            service_tier=reply.service_tier,
            attempts=attempt.number,
            latency_ms=attempt.provider_ms,
            request_id=job.id,
            flags=(*reply.flags, *self._filter(job, attempt, chosen, reply, validated)),
            validated=validated,
            trimmed=chosen.trimmed,
        )

    def _refuse(
        self, job: RunningJob, attempt: Attempt, chosen: Candidate, reply: Reply
    ) -> NoReturn:
        """The provider declined: another link is asked, if that was asked for, or the job ends."""
        tried = {each.link for each in job.tried} | {attempt.link}
        untried = {link.name for link in self.chain.selection.allowed(job.request)} - tried
        next_one = job.request.on_refusal == "next" and untried
        if next_one and self._affords(job, attempt, chosen.micro_usd):
            raise AskAgain(
                f"declined to answer ({reply.finish}); the next link is asked", "refused"
            )
        raise Refused(
            f"{attempt.link} declined to answer ({reply.finish})",
            {"reason": reply.finish, "text": reply.text, **reply.model_and_usage},
        )

    def _check_truncated(
        self, job: RunningJob, attempt: Attempt, chosen: Candidate, reply: Reply
    ) -> None:
        """A truncated answer is asked for again or is an error, unless the caller accepts it."""
        if self._may_double(job, attempt, chosen, reply):
            raise AskAgain(
                "answered, but cut at max_tokens: once more with twice as many",
                "truncated",
                double_max_tokens=True,
            )
        empty = not reply.text.strip() and not reply.tool_calls
        if job.request.on_truncation == "accept" and not empty:
            return
        usage = reply.usage or Usage()
        reasoning = usage.reasoning
        if reply.stated_finish in WINDOW_FULL:
            raise Truncated(
                f"the answer stopped where {chosen.link.name}'s window is full. "
                "Fix: shorten or split the prompt",
                {
                    "partial_text": reply.text,
                    "max_tokens": chosen.max_tokens,
                    "window_full": True,
                    **reply.model_and_usage,
                },
            )
        where = "it is cut there"
        if reasoning and not reply.text:
            where = f"all of it went into reasoning ({reasoning:,} tokens)"
        raise Truncated(
            f"the answer stopped at max_tokens={chosen.max_tokens:,}; {where}. "
            "Fix: raise max_tokens or shorten the prompt",
            {
                "partial_text": reply.text,
                "max_tokens": chosen.max_tokens,
                "reasoning_tokens": reasoning,
                **reply.model_and_usage,
            },
        )

    def _may_double(
        self, job: RunningJob, attempt: Attempt, chosen: Candidate, reply: Reply
    ) -> bool:
        """Whether a truncated answer is to be asked for again with twice the tokens."""
        if job.request.on_truncation != "retry" or job.double_max_tokens:
            return False
        if reply.stated_finish in WINDOW_FULL:
            return False
        if not self.chain.selection.can_double_max_tokens(job, chosen):
            return False
        return self._affords(job, attempt, 2 * chosen.micro_usd)

    def _is_structured(
        self, job: RunningJob, attempt: Attempt, chosen: Candidate, reply: Reply
    ) -> bool:
        """Whether the answer is the JSON that was asked for. Raises `AskAgain` if it is not, and
        may be mended; not for one of several choices, as the others would be paid for again.
        """
        if not wants_json(job.request) or (reply.tool_calls and not reply.text) or reply.declines:
            return False
        found = verdict(job.request, reply.text, self._whose(job))
        if found is None or found == "":
            return found is not None
        again = times_unfit(job) < self._settings.structured_retries and not reply.others
        if again and reply.finish != "length" and self._affords(job, attempt, chosen.micro_usd):
            raise AskAgain(f"answered, but the answer {found}; once more", found.noted)
        return False

    def _whose(self, job: RunningJob) -> Whose:
        return Whose(self._left_s(job), job.user_id, job.id)

    def _filter(
        self, job: RunningJob, attempt: Attempt, chosen: Candidate, reply: Reply, validated: bool
    ) -> tuple[str, ...]:
        """What the output filters flag.

        Raises `AskAgain` or `Filtered` if one of them decides so.
        """
        flags: dict[str, None] = {}
        for number, (text, calls) in enumerate(reply.said):
            fine = frozenset({"schema"}) if validated and not number else frozenset[str]()
            if reply.declines:
                fine = OF_ITS_FORM
            if text or not calls:
                flags |= dict.fromkeys(self._filter_text(job, attempt, chosen, text, fine))
        return tuple(flags)

    def _filter_text(
        self, job: RunningJob, attempt: Attempt, chosen: Candidate, text: str, fine: frozenset[str]
    ) -> tuple[str, ...]:
        found = self.filters.check(job.request, text, self._whose(job), fine)
        first = not any(each.fault == "filtered" for each in job.tried)
        if found.action == "retry" and first and self._affords(job, attempt, chosen.micro_usd):
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

    def _affords(self, job: RunningJob, attempt: Attempt, micro_usd: int) -> bool:
        return self.quota.affords(job, attempt.bill.micro_usd + micro_usd)

    def _static(self, job: RunningJob, attempt: Attempt) -> Completion | None:
        if self._settings.static_fallback is None or job.request.embedding:
            return None
        return Completion(
            text=self._settings.static_fallback,
            finish_reason="stop",
            model="static",
            provider="static",
            usage=Usage(),
            cost_usd=attempt.cost_usd(job),
            maybe_billed_usd=attempt.maybe_billed_usd(job),
            degraded="static",
            attempts=attempt.number_so_far(job),
            latency_ms=0,
            request_id=job.id,
        )


def _dollars(micro_usd: int | None) -> float | None:
    return None if micro_usd is None else micro_usd / 1_000_000
