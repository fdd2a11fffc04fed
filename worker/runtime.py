"""What one process shares: built on first use and keyed by pid, so that a forked child never
inherits a used client.
"""

import os
import secrets
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from . import output_filters as filters
from . import providers
from .audit.writer import Audit
from .budgets.pricing import Pricing
from .budgets.quota import Quota
from .cache import Cache
from .documents import DocumentSummarizer
from .ledger.connection import Keys, Redis, connect
from .ledger.leases import Leases
from .ledger.ledger import Ledger
from .loop import Loop
from .monitoring import health
from .monitoring.alerts import Alerts, Watch
from .monitoring.health import Health
from .output_filters import OutputFilters
from .pipeline import Pipeline
from .providers.caller import ProviderCaller
from .providers.clients import Clients
from .providers.credentials import Credentials
from .providers.selection import LinkSelector
from .providers.tokens import Estimator, load_vocabularies
from .settings import (
    AlertSettings,
    AuditSettings,
    HealthSettings,
    Problem,
    QuotaSettings,
    RedisSettings,
    Settings,
    SettingsError,
    load,
    load_redis,
)
from .telemetry.metrics import Metrics

NOTICE_DAYS = 90
"""How long before a model's end we begin to say so."""

AUDIT_TIMEOUT_S = 2.0
"""How long a paid answer waits for an audit log that is frozen."""

_lock = threading.Lock()
_current: tuple[int, "Runtime"] | None = None
_settings: Settings | None = None
"""As they were read first: a forked child must not fail because a file or a manager is away just
then.
"""


class LedgerConnection:
    """The ledger's server and what reads it; needs Redis settings only."""

    def __init__(self, settings: RedisSettings) -> None:
        self.keys = Keys(settings.prefix)
        self.redis: Redis = connect(settings.ledger)
        self.metrics = Metrics(self.redis, self.keys)

    def hash_key(self) -> bytes:
        """The fleet's key for prompt hashes; the first worker makes it."""
        self.redis.set(self.keys.hash_key, secrets.token_hex(32), nx=True)
        return str(self.redis.get(self.keys.hash_key)).encode()


@dataclass(frozen=True)
class Runtime:
    """Everything a job needs, wired once per process."""

    settings: Settings
    ledger: LedgerConnection
    loop: Loop
    servers: Credentials

    @cached_property
    def jobs(self) -> Ledger:
        owner = f"{socket.gethostname()}:{os.getpid()}"
        return Ledger(
            self.ledger.redis,
            self.ledger.keys,
            self.settings.ledger,
            owner,
            self.settings.lanes,
            self.settings.pace,
        )

    @cached_property
    def leases(self) -> Leases:
        return Leases(self.jobs, self.loop, self.settings.ledger.lease_s / 5)

    @cached_property
    def cache(self) -> Cache:
        settings = self.settings
        return Cache(
            self.ledger.redis,
            self.ledger.keys,
            settings.cache,
            settings.call,
            settings.links,
            settings.models.batch,
        )

    @cached_property
    def clients(self) -> Clients:
        return Clients(self.loop, self.servers)

    @cached_property
    def chain(self) -> ProviderCaller:
        settings, models = self.settings, self.settings.models.known
        pricing, estimator = (
            Pricing(settings.pricing.overrides, settings.pricing.unknown),
            Estimator(models),
        )
        selection = LinkSelector(
            settings.links, settings.call, models, settings.models.batch, pricing, estimator
        )
        return ProviderCaller(
            selection, settings.call, pricing, estimator, self.clients, self.ledger.hash_key()
        )

    @cached_property
    def audit(self) -> Audit:
        settings, metrics = self.settings.audit, self.ledger.metrics

        def failed() -> None:
            metrics.add(metrics.happened("audit_failures"))

        return Audit(
            audit_sink(settings), self.ledger.keys, settings, self.ledger.hash_key(), failed
        )

    @cached_property
    def pipeline(self) -> Pipeline:
        quota, looks = Quota(self.jobs, self.settings.quota), OutputFilters(self.settings.filters)
        return Pipeline(self.audit, self.cache, quota, self.chain, looks, self.settings.retry)

    @cached_property
    def summaries(self) -> DocumentSummarizer:
        chain, key = self.chain, self.ledger.hash_key()
        return DocumentSummarizer(
            self.jobs,
            self.pipeline,
            chain.selection,
            chain.estimator,
            chain.pricing,
            self.settings.summary,
            key,
        )

    def close(self) -> None:
        """Only what was built: a process that ends must not begin to ask Redis."""
        built = vars(self)
        for part in ("leases", "clients"):
            if part in built:
                built[part].close()
        self.loop.close()
        if "audit" in built:
            self.audit.close()
        self.ledger.redis.close()


def audit_sink(settings: AuditSettings) -> Redis | None:
    """The audit log's server; None if there is none."""
    return connect(settings.url.get_secret_value(), AUDIT_TIMEOUT_S) if settings.url else None


def checked_settings() -> Settings:
    """All settings, with every link's adapter known to exist. Raises `SettingsError` listing
    everything wrong.

    This process and its children go by them from now on.
    """
    global _settings
    settings = _settings = Settings.load(examine=_examined)
    return settings


def _examined(settings: Settings) -> Iterator[Problem]:
    """What a slice alone cannot know to be wrong. Slices that could not be read are passed over:
    they are None.
    """
    for position, link in enumerate(settings.links, start=1):
        try:
            providers.load(link.adapter)
        except LookupError as error:
            reason = f"Invalid env var: LLM_CHAIN: link {position}, {link.name}: {error}"
            fix = f"use a known provider, or export LLM_LINK_{link.provider.upper()}_BASE_URL=... for an OpenAI-compatible one"
            yield Problem("LLM_CHAIN", f"{reason}. Fix: {fix}")
    for name in settings.filters.output if settings.filters else ():
        try:
            filters.load(name)
        except LookupError as error:
            yield Problem(
                "LLM_OUTPUT_FILTERS",
                f"Invalid env var: LLM_OUTPUT_FILTERS: {error}. Fix: correct the name",
            )
    try:
        if settings.models:
            load_vocabularies(
                settings.models.known, ((link.provider, link.model) for link in settings.links)
            )
    except ValueError as error:
        yield Problem(
            "LLM_MODELS_FILE",
            f"Invalid env var: LLM_MODELS_FILE: {error}. Fix: name another tokenizer",
        )
    if settings.alerts and (problem := _no_findings(settings.alerts)):
        yield problem
    if settings.audit and settings.audit.url and not settings.audit.key:
        needs = "Missing required env var: LLM_AUDIT_KEY (LLM_AUDIT_URL needs it)"
        yield Problem(
            "LLM_AUDIT_KEY",
            f"{needs}. Fix: export the public key of a pair; `completions audit key` makes one",
        )


def warnings(settings: Settings) -> list[str]:
    """What is allowed and hardly meant."""
    found = [
        f"UNKNOWN_SETTING: {name} is none of ours: misspelt? See docs/configuration.md"
        for name in settings.unknown
    ]
    if settings.audit.private_keys:
        found.append(
            "UNSAFE_AUDIT: a worker has LLM_AUDIT_PRIVATE_KEYS, so whoever has its machine can read the audit log"
        )
    return found


def ending(settings: Settings, today: date) -> list[str]:
    """A warning for every link whose model its provider shuts down within `NOTICE_DAYS`, or has."""
    warnings = []
    for link in settings.links:
        ends = settings.models.known.of(link.provider, link.model).ends
        if ends and (ends - today).days <= NOTICE_DAYS:
            instead = settings.models.known.alias(link.provider, "fast")
            verb = "ended" if ends < today else "ends"
            warnings.append(
                f"MODEL_ENDS: {link.name} {verb} on {ends}. Fix: put another into LLM_CHAIN, for example {instead}"
            )
    return warnings


def current() -> Runtime:
    """This process's runtime."""
    global _current, _settings
    with _lock:
        if _current is None or _current[0] != os.getpid():
            settings = _settings = _settings or Settings.load()
            servers = Credentials(settings.links, settings.sources)
            _current = (
                os.getpid(),
                Runtime(settings, LedgerConnection(settings.redis), Loop(), servers),
            )
        return _current[1]


def shut_down() -> None:
    """Close what this process built, if anything, and forget the settings."""
    global _current, _settings
    with _lock:
        if _current is not None and _current[0] == os.getpid():
            _current[1].close()
        _current = _settings = None


def observer() -> Health:
    """The fleet's health, from Redis settings and thresholds alone. Raises `SettingsError`."""
    ledger, limits = operator(), load(QuotaSettings)
    return Health(
        ledger.redis, ledger.keys, ledger.metrics, load(HealthSettings), limits.usd_per_day
    )


def watch() -> Watch:
    """Begin to look for alerts; close it to end. Raises `SettingsError`, also for a finding that
    there is not.
    """
    settings, ledger = load(AlertSettings), operator()
    if problem := _no_findings(settings):
        raise SettingsError([problem])
    return Watch(Alerts(ledger.redis, ledger.keys, observer(), settings))


def _no_findings(settings: AlertSettings) -> Problem | None:
    wrong = sorted((settings.names or frozenset()) - set(health.NAMES))
    known = f"Fix: use some of {', '.join(health.NAMES)}, or none"
    return (
        Problem(
            "LLM_ALERTS",
            f"Invalid env var: LLM_ALERTS: no finding is called {', '.join(wrong)}. {known}",
        )
        if wrong
        else None
    )


def operator() -> LedgerConnection:
    """What an operations command needs: the ledger, from Redis settings alone."""
    return LedgerConnection(load_redis())
