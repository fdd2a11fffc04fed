"""What a request asks Anthropic to cache: what it costs, and in which order."""

import pytest
from support.running_jobs import running_job

from producer.contract.requests import CompletionRequest
from worker.budgets.pricing import Pricing
from worker.model_catalog import Models
from worker.providers.anthropic import Anthropic
from worker.providers.selection import LinkSelector
from worker.providers.tokens import Estimator
from worker.settings import CallSettings, Link, QuotaSettings
from worker.settings.prices import rates

MARKED = {"type": "text", "text": "a" * 40_000, "cache_control": {"type": "ephemeral"}}
HOUR = MARKED | {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
OPTIONS = {"anthropic": {"cache_control": {"type": "ephemeral", "ttl": "1h"}}}


@pytest.mark.parametrize(
    ("part", "options", "dearer"), [(MARKED, None, 1), (HOUR, None, 1.6), (MARKED, OPTIONS, 1.6)]
)
def test_what_is_cached_for_an_hour_is_held_at_its_price(part, options, dearer):
    """Writing costs 1.25 times the input at Anthropic, and for an hour twice."""
    messages = [{"role": "user", "content": [part]}]
    chain = (Link(provider="anthropic", model="claude-haiku-4-5", adapter="anthropic"),)
    models, pricing = Models.load(), Pricing({}, rates("50/200"))
    selector = LinkSelector(
        chain,
        CallSettings(max_tokens=100),
        models,
        "chain",
        pricing,
        Estimator(models),
        QuotaSettings(),
    )
    request = CompletionRequest.checked(messages=messages, provider_options=options)
    (found,) = selector.candidates(running_job("j", request))
    plain = found.prompt_tokens * 1.25  # micro-dollars, at a dollar for a million
    assert found.prompt_micro_usd == pytest.approx(plain * dearer, abs=1)


def test_marks_for_an_hour_come_first():
    turns = [
        {"role": "user", "content": [HOUR]},
        {"role": "assistant", "content": "ok"},
        {"role": "user", "content": [MARKED]},
    ]
    for messages, refused in ((turns, ""), (turns[::-1], "a cache_control of 1h behind one of 5m")):
        request = CompletionRequest.checked(messages=messages)
        assert Anthropic.unsupported(request) == refused
