"""The worker's settings: frozen slices, and the only reader of the environment.

Each consumer takes its slice and nothing else, so a test writes
`QuotaSettings(tokens_per_hour=1000)`. Where values come from: `sources.py`.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, Self, TypeVar

from .base import Problem, SettingsError, Slice
from .links import VENDORS, ChainSettings, Link, LinkSettings, ServerSettings, links, read_server
from .monitoring import AlertSettings, AuditSettings, HealthSettings, LogSettings
from .sections import (
    CacheSettings,
    CallSettings,
    FilterSettings,
    LaneSettings,
    LedgerSettings,
    ModelSettings,
    Pace,
    PaceSettings,
    PricingSettings,
    QuotaSettings,
    RedisSettings,
    RetrySettings,
    SummarySettings,
)
from .sources import Sources, SourceSettings

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
    "ServerSettings",
    "Settings",
    "SettingsError",
    "Slice",
    "SourceSettings",
    "Sources",
    "SummarySettings",
    "load",
    "load_redis",
    "read_server",
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
    sources: SourceSettings
    links: tuple[Link, ...]
    """The chain, in order."""
    origins: dict[str, str]
    """Variable -> where its value is from; of variables that nobody gives, only the secrets."""
    unknown: tuple[str, ...]
    """Variables of the environment that look like ours and are none."""

    @classmethod
    def load(cls, examine: Callable[[Self], Iterable[Problem]] = lambda _: ()) -> Self:
        """Read all sources. Raises `SettingsError` with every problem found, those that `examine`
        finds included.

        A slice that could not be read is None in what `examine` is given.
        """
        sources = Sources()
        slices = {
            name: sources.settings if slice_ is SourceSettings else sources.read(slice_)
            for name, slice_ in cls.__annotations__.items()
            if isinstance(slice_, type) and issubclass(slice_, Slice)
        }
        chain = sources.read(ChainSettings)
        models = slices["models"]
        chained = (
            links(chain, models.known, sources)
            if chain and isinstance(models, ModelSettings)
            else ()
        )
        unknown = tuple(sources.unknown(cls._variables()))
        settings = cls(**slices, links=chained, origins=sources.origins, unknown=unknown)  # type: ignore[arg-type]
        if problems := [*sources.problems, *examine(settings)]:
            raise SettingsError(problems)
        return settings

    @classmethod
    def _variables(cls) -> set[str]:
        slices: list[type[Slice]] = [ChainSettings]
        slices += [
            each
            for each in cls.__annotations__.values()
            if isinstance(each, type) and issubclass(each, Slice)
        ]
        return {
            str(field.validation_alias) for each in slices for field in each.model_fields.values()
        }


S = TypeVar("S", bound=Slice)


def load(slice_: type[S]) -> S:
    """One slice alone. Raises `SettingsError`."""
    sources = Sources()
    settings = sources.read(slice_)
    if settings is None or sources.problems:
        raise SettingsError(sources.problems)
    return settings


def load_redis() -> RedisSettings:
    """The Redis slice alone. Raises `SettingsError`."""
    return load(RedisSettings)
