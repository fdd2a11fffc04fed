"""One call on the provider link that was reserved, and its record. It never retries, never waits.

`selection.py` says which links may be reserved.
"""

import hmac
import time
from collections import defaultdict
from typing import Any

from producer.contract.completions import Usage

from ..budgets.pricing import Pricing
from ..faults import AnswerLost, Fault, ProviderError, after_the_reply
from ..ledger.attempt import ANSWERED, Attempt, Bill, Candidate
from ..ledger.running_job import RunningJob
from ..settings import CallSettings, Link
from ..telemetry.logs import (
    limit_ignored,
    prompt_hash,
    provider_call,
    spared,
    stale_model_data,
    wrong_usage,
)
from ..telemetry.records import CallRecord, trace_id
from .base import STREAMING, Call, Reply
from .billing import IMPOSSIBLE, SLACK_TOKENS, Billing, impossible
from .call_limits import Timing
from .clients import Clients
from .evidence import Judge
from .parameters import dropped
from .prefixes import Prefixes
from .selection import LinkSelector
from .tokens import Estimator
from .trimming import without
from .usages import UNREADABLE

IDENTIFIER_DIGITS = 32
"""Of a user's hash: no two of any number of users share one, and every API takes so many."""
LIMIT_FIELDS = frozenset({"max_tokens", "max_completion_tokens"})


class ProviderCaller:
    """Calls the provider links of this worker."""

    def __init__(
        self,
        selection: LinkSelector,
        settings: CallSettings,
        pricing: Pricing,
        estimator: Estimator,
        clients: Clients,
        hash_key: bytes,
        judge: Judge,
    ) -> None:
        self.selection = selection
        self._settings = settings
        self.pricing = pricing
        self.estimator = estimator
        self._clients = clients
        self._hash_key = hash_key
        self._judge = judge
        self._billing = Billing(pricing, estimator)
        self._prefixes = Prefixes()
        self._timing = Timing(settings)
        self._refused: defaultdict[str, set[str]] = defaultdict(set)
        """Link -> parameters that its model refused although our data says it takes them."""

    def call(
        self, job: RunningJob, attempt: Attempt, chosen: Candidate, remaining_s: float
    ) -> tuple[Reply, Bill]:
        """One call on the wire, recorded in one log line.

        Raises `ProviderError`; so it ends too when the job is cancelled meanwhile. Raises
        `AnswerLost` for an error of our own once there may have been a reply.
        """
        if attempt.probes:
            self._clients.reload_keys()
        call = self._call(job, chosen, remaining_s)
        started = time.monotonic()
        try:
            reply = self._clients.call(chosen.link, call)
        except ProviderError as error:
            _weigh_refused_parameter(call, error)
            attempt.evidence = self._judge.of_failure(error, self._hurried(call))
            attempt.called(str(error.fault), _ms_since(started), error.rate_limits)
            with spared("the record of a call"):
                self._record_failure(job, attempt, chosen, call, error)
            raise
        except Exception as error:
            # An adapter that raises anything else may have had its reply.
            attempt.called(str(Fault.BAD_RESPONSE), _ms_since(started), attempt.rate_limits)
            raise AnswerLost from error
        with after_the_reply():
            attempt.evidence = ANSWERED
            attempt.provider_id = reply.provider_id
            outcome = "length" if reply.finish == "length" else "ok"
            attempt.called(outcome, _ms_since(started), reply.rate_limits)
            return self._billed(job, attempt, chosen, call, reply)

    def _billed(
        self,
        job: RunningJob,
        attempt: Attempt,
        chosen: Candidate,
        call: Call,
        reply: Reply,
    ) -> tuple[Reply, Bill]:
        """The reply with what it cost, recorded."""
        reply, bill = self._billing.of_reply(chosen.link, call, reply)
        with spared("the record of a call"):
            self._record_answer(job, attempt, chosen, reply, bill)
        with spared("what a call teaches"):
            self._learn(chosen.link, call, reply, bill)
            self._learn_speed(chosen.link, call, reply, attempt.provider_ms)
        return reply, bill

    def _record_answer(
        self, job: RunningJob, attempt: Attempt, chosen: Candidate, reply: Reply, bill: Bill
    ) -> None:
        usage = reply.usage or Usage()
        maybe_micro_usd = 0
        if bill.kind == "maybe":
            maybe_micro_usd = chosen.micro_usd
        said = _of_bill(bill, usage, chosen) | {
            "maybe_billed_micro_usd": maybe_micro_usd,
            "charged_micro_usd": reply.charged_micro_usd,
            "service_tier": reply.service_tier,
            "finish_reason": reply.finish,
            "provider_request_id": reply.provider_request_id,
            "flags": reply.flags,
        }
        provider_call(self._record(job, attempt, chosen, said))

    def _learn(self, link: Link, call: Call, reply: Reply, bill: Bill) -> None:
        """What the usage says of the link's model and server."""
        for flag in reply.flags:
            if flag.startswith((IMPOSSIBLE, UNREADABLE)):
                wrong_usage(link.name, flag)
        if reply.usage is None or reply.usage.estimated or reply.vectors:
            return
        self.estimator.learn(call.request, link.provider, link.model, reply.usage.input)
        too_long = bill.output_tokens > call.most_output + SLACK_TOKENS
        # One that says that it was cut knows the limit, and counts its reasoning apart from it.
        if too_long and reply.finish != "length":
            limit_ignored(link.name, call.max_tokens, bill.output_tokens)
            self._try_other_field(link, reply.limit_field)

    def _learn_speed(self, link: Link, call: Call, reply: Reply, ms: int) -> None:
        """And whether the server streams as it should: with its usage."""
        if reply.usage:
            self._timing.learn(link, reply.usage.output // call.request.choices, ms)
        as_asked = reply.streamed and reply.usage and not reply.usage.estimated
        if call.streams and not as_asked:
            self._refused[link.name].add(STREAMING)

    def _hurried(self, call: Call) -> bool:
        """Whether the provider was left sooner than the settings say."""
        return (call.silence_s or call.timeout_s) < self._settings.timeout_s

    def _try_other_field(self, link: Link, field: str) -> None:
        """Once: a server that heeds neither name gets the other one from then on."""
        if field and not self._refused[link.name] & LIMIT_FIELDS:
            self._refused[link.name].add(field)

    def _record_failure(
        self,
        job: RunningJob,
        attempt: Attempt,
        chosen: Candidate,
        call: Call,
        error: ProviderError,
    ) -> None:
        said: dict[str, Any] = {
            "error": str(error.fault),
            "http_status": error.status,
            "error_code": error.code or None,
            "error_type": error.type or None,
            "error_param": error.parameter or None,
        }
        bill = self._billing.of_failure(chosen.link, call, error)
        if error.usage and bill.kind == "real":
            attempt.billed(bill)
            said |= _of_bill(bill, error.usage, chosen)
        elif error.maybe_billed:
            if error.usage and (reason := impossible(call, error.usage)):
                wrong_usage(chosen.link.name, f"{IMPOSSIBLE} ({reason})")
            said |= {"maybe_billed_micro_usd": chosen.micro_usd, "cost_basis": "unknown"}
        provider_call(self._record(job, attempt, chosen, said))
        if error.fault is Fault.STALE:
            refused = error.parameter
            if refused == "stream" and call.streams:
                refused = STREAMING
            self._refused[chosen.link.name].add(refused)
            stale_model_data(chosen.link.name, error.parameter)

    def _call(self, job: RunningJob, chosen: Candidate, remaining_s: float) -> Call:
        link = chosen.link
        request = without(job.request, chosen.trimmed)
        request = self.selection.fitting(link, request, chosen.max_tokens)
        refused = frozenset(self._refused[link.name])
        if request.drop_unsupported:
            request = dropped(request, refused)
        else:
            # What is asked for is not left out because another job could do without it.
            refused -= request.said
        whole = {STREAMING} if request.choices > 1 else set()
        limits = self._timing.limits(
            job,
            link,
            chosen.max_tokens,
            remaining_s,
            refused | whole,
        )
        return Call(
            job_id=job.id,
            model=link.model,
            request=request,
            max_tokens=chosen.max_tokens,
            sends_limit=chosen.sends_limit,
            temperature=self.selection.temperature(link, request),
            **limits._asdict(),
            thinks=self.selection.thinks(link) or request.wants_thinking,
            prefill=self.selection.prefill(link),
            cache_prefix=self._prefixes.should_cache(request),
            refused=refused,
            identifier=self._identifier(job),
            options=(request.provider_options or {}).get(link.provider, {}),
            headers={name: text.get_secret_value() for name, text in link.headers.items()},
        )

    def _identifier(self, job: RunningJob) -> str:
        """Who asks, so that one abuser does not cost the fleet its account; a provider cannot tell
        whom it stands for.
        """
        if not self._settings.sends_user_hash:
            return ""
        digest = hmac.digest(self._hash_key, job.user_id.encode(), "sha256")
        return digest.hex()[:IDENTIFIER_DIGITS]

    def _record(
        self, job: RunningJob, attempt: Attempt, chosen: Candidate, said: dict[str, Any]
    ) -> CallRecord:
        """`said`: what is known of its end, in place of no answer and no cost."""
        fields: dict[str, Any] = {
            "request_id": job.id,
            "user_id": job.payer,
            "lane": job.lane,
            "model": chosen.link.model,
            "provider": chosen.link.provider,
            "attempt": attempt.number,
            "input_tokens": 0,
            "output_tokens": 0,
            "micro_usd": 0,
            "maybe_billed_micro_usd": 0,
            "latency_ms": attempt.provider_ms,
            "finish_reason": None,
            "error": None,
            "prompt_hash": prompt_hash(self._hash_key, job.request),
            "queue_ms": job.first_started_ms - job.submitted_ms,
            "trace_id": trace_id(job.request.metadata),
            "price_unknown": not chosen.priced,
        }
        return CallRecord(**fields | said)


def _of_bill(bill: Bill, usage: Usage, chosen: Candidate) -> dict[str, Any]:
    """For the record of a call."""
    model = chosen.link.model
    if bill.booked_as:
        model = bill.booked_as.partition(":")[2]
    return {
        "model": model,
        "micro_usd": bill.micro_usd,
        "cost_basis": bill.basis,
        "input_tokens": usage.input,
        "output_tokens": usage.output,
    }


def _weigh_refused_parameter(call: Call, error: ProviderError) -> None:
    """Whether the call goes out again without it: not one that was left out, or renamed, already,
    and one that the request asks for only if that allows it.
    """
    asked = error.parameter in call.request.said
    drops = call.request.drop_unsupported
    if error.fault is Fault.UNSUPPORTED and asked and drops:
        error.fault = Fault.STALE
    left_out = error.parameter in call.refused
    if error.fault is Fault.STALE and (left_out or (asked and not drops)):
        error.fault = Fault.UNSUPPORTED


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
