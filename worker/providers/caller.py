"""The provider chain: one call on a chosen link, and its record. It never retries and never waits.

Who may be chosen is `selection.py`'s.
"""

import time
from collections import defaultdict

from producer.contract.completions import Usage

from ..budgets.pricing import Price, Pricing
from ..faults import Fault, ProviderError
from ..ledger.running_job import Candidate, Job
from ..settings import CallSettings
from ..telemetry.logs import prompt_hash, provider_call, stale_model_data
from ..telemetry.records import CallRecord, trace_id
from .base import Call, Reply
from .clients import Clients
from .prefixes import Prefixes
from .selection import LinkSelector
from .tokens import Estimator
from .trimming import without


class ProviderCaller:
    """All links of this worker."""

    def __init__(
        self,
        selection: LinkSelector,
        settings: CallSettings,
        pricing: Pricing,
        estimator: Estimator,
        clients: Clients,
        hash_key: bytes,
    ) -> None:
        self.selection = selection
        self._settings = settings
        self.pricing = pricing
        self.estimator = estimator
        self._clients = clients
        self._hash_key = hash_key
        self._prefixes = Prefixes()
        self._refused: defaultdict[str, set[str]] = defaultdict(set)
        """Link -> parameters that its model refused although our data says it takes them."""

    def call(
        self, job: Job, chosen: Candidate, number: int, remaining_s: float
    ) -> tuple[Reply, Price]:
        """One call on the wire, recorded in one log line. Raises `ProviderError`; cancelling the
        job ends it so too.
        """
        link, call = chosen.link, self._call(job, chosen, remaining_s)
        started = time.monotonic()
        try:
            reply = self._clients.call(link, call)
        except ProviderError as error:
            job.allowance = error.allowance
            self._record(job, chosen, number, started, error=error)
            if error.fault is Fault.STALE:
                self._refused[link.name].add(error.parameter)
                stale_model_data(link.name, error.parameter)
            raise
        job.allowance = reply.allowance
        price = self.pricing.cost(link.provider, link.model, reply.usage or Usage())
        self._record(job, chosen, number, started, reply=reply, price=price)
        if reply.usage:
            self.estimator.learn(call.request, link.provider, link.model, reply.usage.input)
        return reply, price

    def _call(self, job: Job, chosen: Candidate, remaining_s: float) -> Call:
        link, request = chosen.link, without(job.request, chosen.trimmed)
        return Call(
            job_id=job.id,
            model=link.model,
            request=request,
            max_tokens=chosen.max_tokens,
            temperature=self.selection.temperature(link, request),
            timeout_s=min(self._settings.timeout_s, remaining_s),
            prefill=self.selection.prefill(link),
            cache_prefix=self._prefixes.wanted(request),
            refused=frozenset(self._refused[link.name]),
        )

    def _record(
        self,
        job: Job,
        chosen: Candidate,
        number: int,
        started: float,
        reply: Reply | None = None,
        price: Price | None = None,
        error: ProviderError | None = None,
    ) -> None:
        job.provider_ms = round((time.monotonic() - started) * 1000)
        job.call_outcome = (
            str(error.fault) if error else "length" if reply and reply.finish == "length" else "ok"
        )
        usage = (reply.usage if reply else None) or Usage()
        doubtful = error.maybe_billed if error else reply is not None and reply.usage is None
        provider_call(
            CallRecord(
                request_id=job.id,
                user_id=job.user_id,
                lane=job.lane,
                model=chosen.link.model,
                provider=chosen.link.provider,
                attempt=number,
                input_tokens=usage.input,
                output_tokens=usage.output,
                micro_usd=price.micro_usd if price else 0,
                maybe_billed_micro_usd=chosen.micro_usd if doubtful else 0,
                latency_ms=job.provider_ms,
                finish_reason=reply.finish if reply else None,
                error=str(error.fault) if error else None,
                prompt_hash=prompt_hash(self._hash_key, job.request),
                queue_ms=job.first_begun_ms - job.submitted_ms,
                provider_request_id=reply.provider_request_id if reply else None,
                trace_id=trace_id(job.request.metadata),
                price_unknown=not chosen.priced,
            )
        )
