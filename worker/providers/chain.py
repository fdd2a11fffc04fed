"""The provider chain: which links may answer next, and one call on the chosen one. It never retries and never waits.

Order: least tried by this job first, then the operator's order; links that cool down are skipped by the ledger, which
knows the whole fleet's cooldowns.
"""

import time
from collections import Counter

from producer.contract.errors import InvalidRequest
from producer.contract.messages import CompletionRequest, Usage

from ..faults import Fault, ProviderError
from ..jobs import Candidate, Job
from ..loop import Loop, Stopped
from ..observe.logs import CallRecord, prompt_hash, provider_call
from ..pricing import Price, Pricing
from ..settings import CallSettings, Link
from ..tokens import upper_bound
from . import load
from .base import Call, Provider, Reply


class Chain:
    """All links of this worker. Clients are built on first use, one per link and process, on the process's loop."""

    def __init__(self, links: tuple[Link, ...], settings: CallSettings, pricing: Pricing, loop: Loop, hash_key: bytes) -> None:
        self._links = links
        self._settings = settings
        self._pricing = pricing
        self._loop = loop
        self._hash_key = hash_key
        self._providers: dict[str, Provider] = {}

    def allowed(self, request: CompletionRequest) -> list[Link]:
        """The links that may answer, in the operator's order. Raises `InvalidRequest` if there is none."""
        named = [link for link in self._links if request.model in (None, link.name, link.model)]
        if not named:
            known = ", ".join(link.name for link in self._links)
            raise InvalidRequest(f"model: unknown here. Fix: leave it out or use one of {known}", {"fields": ["model"]})
        left = [link for link in named if not {link.name, link.provider} & set(request.avoid)]
        if not left:
            raise InvalidRequest("avoid: leaves no link to answer. Fix: allow at least one", {"fields": ["avoid"]})
        fit = [link for link in left if not load(link.adapter).unfit(request)]
        if not fit:
            reason = load(left[0].adapter).unfit(request)
            raise InvalidRequest(f"{left[0].name} cannot take {reason}, nor can another allowed link. Fix: leave it out")
        return fit

    def candidates(self, job: Job) -> list[Candidate]:
        """The allowed links with the next attempt's worst case, the one to prefer first."""
        tried = Counter(link for link, fault in job.tried if fault != "truncated")
        ordered = sorted(self.allowed(job.request), key=lambda link: tried[link.name])
        max_tokens = (job.request.max_tokens or self._settings.max_tokens) * (2 if job.grow else 1)
        prompt = upper_bound(job.request)
        return [self._candidate(link, prompt, max_tokens) for link in ordered]

    def call(self, job: Job, chosen: Candidate, number: int, remaining_s: float) -> tuple[Reply, Price]:
        """One call on the wire, recorded in one log line. Raises `ProviderError`; cancelling the job ends it so too."""
        temperature = job.request.temperature if job.request.temperature is not None else self._settings.temperature
        call = Call(
            job_id=job.id,
            model=chosen.link.model,
            request=job.request,
            max_tokens=chosen.max_tokens,
            temperature=temperature,
            timeout_s=min(self._settings.timeout_s, remaining_s),
        )
        started = time.monotonic()
        try:
            reply = self._on_the_wire(chosen.link, call)
        except ProviderError as error:
            self._record(job, chosen, number, started, error=error)
            raise
        price = self._pricing.cost(chosen.link.provider, chosen.link.model, reply.usage or Usage())
        self._record(job, chosen, number, started, reply=reply, price=price)
        return reply, price

    def close(self) -> None:
        """Close every client this process opened."""
        for provider in self._providers.values():
            self._loop.run(provider.aclose, deadline_s=2.0, key="close")

    def _candidate(self, link: Link, prompt: int, max_tokens: int) -> Candidate:
        worst = self._pricing.worst(link.provider, link.model, prompt, max_tokens)
        return Candidate(link, max_tokens, worst.micro_usd, prompt + max_tokens)

    def _on_the_wire(self, link: Link, call: Call) -> Reply:
        try:
            return self._loop.run(lambda: self._provider(link).complete(call), call.timeout_s, key=call.job_id)
        except TimeoutError:
            reason = f"no complete answer within {call.timeout_s:.1f} s"
            raise ProviderError(Fault.TIMEOUT, reason, maybe_billed=True) from None
        except Stopped:
            raise ProviderError(Fault.TIMEOUT, "the call was stopped", maybe_billed=True) from None

    def _provider(self, link: Link) -> Provider:
        """Runs on the loop's thread, so no two calls build the same client."""
        if link.name not in self._providers:
            key = link.api_key.get_secret_value() if link.api_key else None
            self._providers[link.name] = load(link.adapter)(link.base_url, key, link.options)
        return self._providers[link.name]

    def _record(
        self, job: Job, chosen: Candidate, number: int, started: float,
        reply: Reply | None = None, price: Price | None = None, error: ProviderError | None = None,
    ) -> None:  # fmt: skip
        job.provider_ms = round((time.monotonic() - started) * 1000)
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
            )
        )
