"""Wiring: the objects that one worker process shares, each built on first use.

They are keyed by pid, so that a forked child never inherits a client that was used before the fork.
"""

import os
import socket
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .audit.server import audit_server
from .audit.writer import Audit
from .budgets.quota import Quota
from .cache import Cache
from .documents import DocumentSummarizer
from .ledger.connection import LedgerConnection
from .ledger.fleet_limits import FleetLimits
from .ledger.leases import Leases
from .ledger.ledger import Ledger
from .loop import Loop
from .monitoring.alerts import Alerts
from .monitoring.health import Health
from .output_filters import OutputFilters
from .output_filters.checker import checker
from .pipeline import Pipeline
from .providers.caller import ProviderCaller
from .providers.clients import Clients
from .providers.credentials import Credentials
from .providers.evidence import Judge
from .providers.selection import LinkSelector
from .providers.tokens import Estimator
from .settings import Settings
from .telemetry.metrics import Metrics
from .telemetry.speed import Speeds

if TYPE_CHECKING:
    from .semantic.cache import SemanticCache

_lock = threading.Lock()
_current: tuple[int, "Runtime"] | None = None
"""The pid of the process it was built in, and the runtime."""
_settings: Settings | None = None
"""As they were first read: a forked child must not fail when a settings file or a secret manager
is away at that moment.
"""


@dataclass(frozen=True)
class Runtime:
    """Everything a job needs, wired once per process."""

    settings: Settings
    connection: LedgerConnection
    loop: Loop
    credentials: Credentials

    @cached_property
    def metrics(self) -> Metrics:
        return Metrics(self.connection.redis, self.connection.keys)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(
            self.connection.redis,
            self.connection.keys,
            self.settings.ledger,
            f"{socket.gethostname()}:{os.getpid()}",
            self.settings.lanes,
            self.settings.pace,
            self.settings.retry,
            FleetLimits.of(self.settings.quota),
        )

    @cached_property
    def leases(self) -> Leases:
        return Leases(self.ledger, self.cancel, self.settings.ledger.lease_s / 5)

    @cached_property
    def cache(self) -> Cache:
        return _cache(self.settings)

    @cached_property
    def clients(self) -> Clients:
        return Clients(self.loop, self.credentials)

    @cached_property
    def chain(self) -> ProviderCaller:
        return self._chain(self.settings)

    def _chain(self, settings: Settings, estimator: Estimator | None = None) -> ProviderCaller:
        selection = LinkSelector.of(settings, estimator)
        return ProviderCaller(
            selection,
            settings.call,
            selection.pricing,
            selection.estimator,
            self.clients,
            self.connection.hash_key(),
            Judge(settings.retry),
        )

    @cached_property
    def audit(self) -> Audit:
        metrics = self.metrics

        def count_failure() -> None:
            metrics.add(metrics.happened("audit_failures"))

        return Audit(
            audit_server(self.settings.audit),
            self.connection.keys,
            self.settings.audit,
            self.connection.hash_key(),
            count_failure,
        )

    @cached_property
    def pipeline(self) -> Pipeline:
        return self._pipeline(self.cache, self.chain, self.near)

    @cached_property
    def errands(self) -> Pipeline:
        """What the semantic cache asks, also of links that no job may name."""
        settings = self.settings.for_errands
        return self._pipeline(_cache(settings), self._chain(settings, self.chain.estimator))

    def _pipeline(
        self, cache: Cache, chain: ProviderCaller, near: "SemanticCache | None" = None
    ) -> Pipeline:
        quota = Quota(self.ledger, self.settings.quota)
        filters = OutputFilters(self.settings.filters)
        return Pipeline(self.audit, cache, quota, chain, filters, self.settings.retry, near)

    @cached_property
    def near(self) -> "SemanticCache | None":
        """None while the semantic cache is off, which needs no numpy then."""
        settings = self.settings
        if settings.semantic.mode == "off":
            return None
        from .semantic.wiring import semantic_cache

        metrics = self.metrics
        return semantic_cache(
            settings,
            self.connection.functions,
            self.ledger,
            self.leases,
            self.cache,
            lambda job, attempt: self.errands.run(job, attempt),
            lambda: metrics.add(metrics.happened("index_failures")),
        )

    @cached_property
    def summaries(self) -> DocumentSummarizer:
        return DocumentSummarizer(
            self.ledger,
            self.pipeline,
            self.chain.selection,
            self.chain.estimator,
            self.chain.pricing,
            self.settings.summary,
            Speeds(self.metrics, self.connection.redis, self.connection.keys),
        )

    @cached_property
    def alerts(self) -> Alerts:
        settings = self.settings
        health = Health(self.connection, settings.health)
        return Alerts(self.connection, health, settings.alerts)

    def cancel(self, job_id: str) -> None:
        """End its call, or the check of its answer. From any thread."""
        self.loop.cancel(job_id)
        checker.cancel(job_id)

    def close(self) -> None:
        """Close only what was built: a process that ends must not begin to ask Redis."""
        built = vars(self)
        for name in ("near", "alerts", "leases", "clients"):
            if built.get(name):
                built[name].close()
        self.loop.close()
        if "audit" in built:
            self.audit.close()
        self.connection.close()


def _cache(settings: Settings) -> Cache:
    return Cache(
        settings.cache,
        settings.call,
        settings.links,
        settings.models.batch,
        settings.models.known,
        settings.embedding_links,
        settings.filters.looked_for,
    )


def current() -> Runtime:
    """This process's runtime. Raises `SettingsError` if it is the first to read wrong settings."""
    global _current, _settings
    with _lock:
        if _current is None or _current[0] != os.getpid():
            _settings = _settings or Settings.load()
            _current = (os.getpid(), _build(_settings))
        return _current[1]


def use(settings: Settings) -> None:
    """Make these the settings of this process and of the children that it forks."""
    global _settings
    _settings = settings


def shut_down() -> None:
    """Close what this process built, if anything, and forget the settings."""
    global _current, _settings
    with _lock:
        if _current is not None and _current[0] == os.getpid():
            _current[1].close()
        _current = None
        _settings = None


def _build(settings: Settings) -> Runtime:
    return Runtime(
        settings=settings,
        connection=LedgerConnection(settings.redis),
        loop=Loop(),
        credentials=Credentials(settings.all_links, settings.sources),
    )
