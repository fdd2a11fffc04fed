"""Whatever a server sends, an adapter gives an answer that can be kept, or an error of ours."""

import json
import math
import pickle

import pytest
from support.scripted import KEY, PROMPT, play
from support.wild_bodies import wild

from producer.contract.completions import Completion, Usage
from worker.faults import ProviderError
from worker.providers import Reply
from worker.providers.readable import readable
from worker.rate_limit_headers import LARGEST, LONGEST_WAIT_S, UNKNOWN

DOUBTFUL = (504, 524)
"""Statuses with which a gateway gives up waiting for a provider that may be at work."""


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.faults)])
@pytest.mark.timeout(600)
def test_arbitrary_bodies_and_headers(seed, count):
    cases = [wild(seed, number) for number in range(count)]
    outcomes = play([case.exchange for case in cases])
    wrong = {}
    for case, outcome in zip(cases, outcomes, strict=True):
        found = problem(case, outcome)
        if found:
            wrong[case.exchange.name] = found, case.exchange.adapter, case.exchange.response[:600]
    shown = list(wrong.items())[:8]
    assert not wrong, f"{len(wrong)} of {count}; again with --seed {seed}: {shown}"


def problem(case, outcome):
    """What is wrong with an outcome; None if nothing is."""
    if outcome.requests != 1:
        return f"{outcome.requests} requests"
    result = outcome.result
    if isinstance(result, Reply):
        return _problem_of_reply(case, result)
    if not isinstance(result, ProviderError):
        return f"raised {result!r}"
    if case.answers:
        return f"a whole answer is {result}"
    return _problem_of_error(case, result)


def _problem_of_reply(case, reply):
    if not 200 <= case.status < 300:
        return "an answer with that status"
    if not reply.text.strip() and not reply.tool_calls and reply.finish in ("stop", "tool_calls"):
        return "an answer with nothing in it"
    if reply.finish in ("stop", "tool_calls", "length"):
        _kept(reply)
    for each in reply.tool_calls:
        json.loads(each.function.arguments, strict=False)
    if len({each.id for each in reply.tool_calls}) != len(reply.tool_calls):
        return "ids that are not unique"
    return _problem_of_limits(reply)


def _kept(reply):
    """As a result is, in the ledger."""
    reply = readable(reply)
    completion = Completion(
        text=reply.text,
        finish_reason=reply.finish,
        model=reply.model,
        provider="p",
        tool_calls=reply.tool_calls,
        usage=reply.usage or Usage(),
        flags=reply.flags,
        cost_usd=0,
        attempts=1,
        latency_ms=1,
        request_id=reply.provider_request_id or "",
    )
    json.dumps(completion.model_dump(mode="json"), ensure_ascii=False).encode()


def _problem_of_error(case, error):
    wait = error.retry_after_s
    if wait is not None and not (math.isfinite(wait) and 0 <= wait <= LONGEST_WAIT_S + 1):
        return f"waits {wait}"
    if pickle.loads(pickle.dumps(error)).args != error.args:
        return "is another one when it is pickled"
    shown = str(error) + repr(error.args)
    if KEY in shown or PROMPT in shown or len(shown) > 2000:
        return f"shows too much: {shown[:300]}"
    if case.status >= 300 and case.status not in DOUBTFUL and (error.maybe_billed or error.usage):
        return f"a refusal is booked: {error}"
    return _problem_of_limits(error)


def _problem_of_limits(said):
    for figure in said.rate_limits:
        if not UNKNOWN <= figure <= 4 * LARGEST:
            return f"a limit of {figure}"
    return None
