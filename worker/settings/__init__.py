"""The worker's settings: frozen slices, and the only reader of the environment.

Each consumer takes its slice and nothing else, so a test writes `QuotaSettings(tokens_per_hour=1000)`.
Values come from the environment, then from files in `LLM_SECRETS_DIR` (one file per variable, as Docker
and Kubernetes mount them).
"""

from typing import NamedTuple, Self, TypeVar

from .base import Problem, SettingsError, Slice, read
from .links import VENDORS, ChainSettings, Link, LinkSettings, links
from .slices import (
    AlertSettings,
    AuditSettings,
    CacheSettings,
    CallSettings,
    FilterSettings,
    HealthSettings,
    LaneSettings,
    LedgerSettings,
    LogSettings,
    ModelSettings,
    Pace,
    PaceSettings,
    PricingSettings,
    QuotaSettings,
    RedisSettings,
    RetrySettings,
    SummarySettings,
)

__all__ = [
    "VENDORS",
    "AlertSettings",
    "AuditSettings",
    "CacheSettings",
    "CallSettings",
    "ChainSettings",
    "FilterSettings",
    "HealthSettings",
    "LaneSettings",
    "LedgerSettings",
    "Link",
    "LinkSettings",
    "LogSettings",
    "ModelSettings",
    "Pace",
    "PaceSettings",
    "PricingSettings",
    "Problem",
    "QuotaSettings",
    "RedisSettings",
    "RetrySettings",
    "Settings",
    "SettingsError",
    "Slice",
    "SummarySettings",
    "load",
    "load_redis",
]


class Settings(NamedTuple):
    """All slices of a worker."""

    redis: RedisSettings
    call: CallSettings
    retry: RetrySettings
    quota: QuotaSettings
    cache: CacheSettings
    ledger: LedgerSettings
    log: LogSettings
    pricing: PricingSettings
    filters: FilterSettings
    models: ModelSettings
    lanes: LaneSettings
    pace: PaceSettings
    summary: SummarySettings
    health: HealthSettings
    alerts: AlertSettings
    audit: AuditSettings
    links: tuple[Link, ...]
    """The chain, in order."""

    @classmethod
    def load(cls) -> Self:
        """Read the environment. Raises `SettingsError` with every problem found."""
        problems: list[Problem] = []
        slices = {
            name: read(slice_, problems)
            for name, slice_ in cls.__annotations__.items()
            if isinstance(slice_, type) and issubclass(slice_, Slice)
        }
        chain = read(ChainSettings, problems)
        models = slices["models"]
        chained = links(chain, models.known, problems) if chain and isinstance(models, ModelSettings) else ()
        if problems:
            raise SettingsError(problems)
        return cls(**slices, links=chained)  # type: ignore[arg-type]


S = TypeVar("S", bound=Slice)


def load(slice_: type[S]) -> S:
    """One slice alone. Raises `SettingsError`."""
    problems: list[Problem] = []
    settings = read(slice_, problems)
    if settings is None:
        raise SettingsError(problems)
    return settings


def load_redis() -> RedisSettings:
    """The Redis slice alone. Raises `SettingsError`."""
    return load(RedisSettings)
