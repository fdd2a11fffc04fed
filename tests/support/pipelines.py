"""A pipeline and its parts on the simulator, without a socket."""

import itertools
from dataclasses import replace

from support.memory_budgets import MemoryBudgets
from support.running_jobs import running_job

from producer.contract.requests import CompletionRequest
from worker.audit.writer import Audit
from worker.budgets.pricing import Pricing
from worker.budgets.quota import Quota
from worker.cache import Cache
from worker.ledger.attempt import Attempt
from worker.ledger.connection import Keys
from worker.loop import Loop
from worker.model_catalog import Models
from worker.output_filters import OutputFilters
from worker.pipeline import Pipeline
from worker.providers.caller import ProviderCaller
from worker.providers.clients import Clients
from worker.providers.credentials import Credentials
from worker.providers.evidence import Judge
from worker.providers.selection import LinkSelector
from worker.providers.tokens import Estimator
from worker.settings import (
    AuditSettings,
    CacheSettings,
    CallSettings,
    FilterSettings,
    Link,
    QuotaSettings,
    RetrySettings,
    SourceSettings,
)
from worker.settings.prices import rates

LINKS = tuple(
    Link(provider="simulator", model=model, adapter="simulator", options={"latency_ms": "0"})
    for model in ("big", "small")
)
numbers = itertools.count()


def chain(links, call, loop, models=None):
    pricing, models = Pricing({}, rates("0/0")), models or Models.load()
    estimator = Estimator(models)
    clients = Clients(loop, Credentials(links, SourceSettings()))
    return ProviderCaller(
        LinkSelector(links, call, models, "fast", pricing, estimator, QuotaSettings()),
        call,
        pricing,
        estimator,
        clients,
        b"key",
        Judge(RetrySettings()),
    )


class Harness:
    """A pipeline and its parts."""

    def __init__(self, static_fallback=None, output=None, **limits):
        call = CallSettings(max_tokens=50, timeout_s=5)
        self.loop = Loop()
        self.budgets = MemoryBudgets()
        self.chain = chain(LINKS, call, self.loop)
        # A cache of life 0 never looks anything up.
        cache = Cache(CacheSettings(ttl_s=0), call, LINKS, "fast")
        retry = RetrySettings(static_fallback=static_fallback)
        filters = OutputFilters(FilterSettings(output=output or {}))
        audit = Audit(None, Keys(), AuditSettings(), b"key", lambda: None)
        self.pipeline = Pipeline(
            audit, cache, Quota(self.budgets, QuotaSettings(**limits)), self.chain, filters, retry
        )

    def job(self, text="hello", tried=(), double_max_tokens=False, **options):
        request = CompletionRequest.checked(messages=[{"role": "user", "content": text}], **options)
        job = running_job(f"job-{next(numbers)}", request, tried=tried)
        return replace(job, double_max_tokens=double_max_tokens)

    def run(self, job, attempt=None):
        return self.pipeline.run(job, attempt or Attempt())
