"""The worker's settings: frozen slices, and the only reader of the environment.

Each consumer takes its slice and nothing else, so a test writes
`QuotaSettings(tokens_per_hour=1000)`. Where values come from: `sources.py`.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Self, TypeVar

from .base import Problem, SettingsError, Slice, invalid
from .links import (
    VENDORS,
    ChainSettings,
    Link,
    LinkSettings,
    ServerSettings,
    embedding_links,
    link_prefix,
    links,
    read_server,
)
from .monitoring import AlertSettings, AuditSettings, HealthSettings, LogSettings
from .prices import PricingSettings, Rates
from .sections import (
    CacheSettings,
    CallSettings,
    FilterSettings,
    LaneSettings,
    LedgerSettings,
    ModelSettings,
    Pace,
    PaceSettings,
    QuotaSettings,
    RedisSettings,
    RetrySettings,
    SummarySettings,
)
from .semantic import SemanticSettings
from .sources import VENDORS_OWN, Sources, SourceSettings
from .trust import TrustSettings

__all__ = [
    "VENDORS",
    "VENDORS_OWN",
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
    "Rates",
    "RedisSettings",
    "RetrySettings",
    "SemanticSettings",
    "ServerSettings",
    "Settings",
    "SettingsError",
    "Slice",
    "SourceSettings",
    "Sources",
    "SummarySettings",
    "TrustSettings",
    "invalid",
    "link_prefix",
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
    trust: TrustSettings
    semantic: SemanticSettings
    sources: SourceSettings
    links: tuple[Link, ...]
    """The provider chain, in order."""
    embedding_links: tuple[Link, ...]
    """Those that make embeddings, in order."""
    origins: dict[str, str]
    """Variable -> where its value is from. Of variables that are set nowhere, only the secrets."""
    unknown: tuple[str, ...]
    """Variables of the environment that look like ours and are none."""

    @classmethod
    def load(cls, examine: Callable[[Self], Iterable[Problem]] = lambda _: ()) -> Self:
        """Read all sources. Raises `SettingsError` with every problem found.

        `examine` yields further problems. A slice that could not be read is None in its argument.
        """
        sources = Sources()
        slices: dict[str, Any] = {
            name: sources.read(slice_) for name, slice_ in cls.slices().items()
        }
        slices["sources"] = sources.settings
        chain, embeddings = _links(sources, slices["models"])
        settings = cls(
            **slices,
            links=chain,
            embedding_links=embeddings,
            origins=sources.origins,
            unknown=tuple(sources.unknown(cls._variables())),
        )
        problems = [*sources.problems, *examine(settings)]
        if problems:
            raise SettingsError(problems)
        return settings

    @property
    def all_links(self) -> tuple[Link, ...]:
        """Each once."""
        return tuple({link.name: link for link in (*self.links, *self.embedding_links)}.values())

    @property
    def named_links(self) -> tuple[Link, ...]:
        """Those that an operator has named. The default one for embeddings may never be asked, so
        nothing is made ready for it: its vocabulary alone has 23 MB.
        """
        return self.all_links if "LLM_EMBEDDING_CHAIN" in self.origins else self.links

    @classmethod
    def slices(cls) -> dict[str, type[Slice]]:
        """Field -> slice, of those that are read one by one."""
        kinds = cls.__annotations__.items()
        return {
            name: kind
            for name, kind in kinds
            if isinstance(kind, type) and issubclass(kind, Slice) and kind is not SourceSettings
        }

    @classmethod
    def _variables(cls) -> set[str]:
        slices: list[type[Slice]] = [ChainSettings, SourceSettings, *cls.slices().values()]
        fields = (field for slice_ in slices for field in slice_.model_fields.values())
        return {str(field.validation_alias) for field in fields}


def _links(
    sources: Sources, models: ModelSettings | None
) -> tuple[tuple[Link, ...], tuple[Link, ...]]:
    """Those of the chain, and those that make embeddings."""
    chain = sources.read(ChainSettings)
    if chain is None or models is None:
        return (), ()
    found = links(chain, models.known, sources)
    return found, embedding_links(chain, found, sources)


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
