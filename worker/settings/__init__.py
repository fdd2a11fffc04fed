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
    link_beside,
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
    errand_links: tuple[Link, ...]
    """The semantic cache's judge, if there is one."""
    errand_embeddings: tuple[Link, ...]
    """The link whose vectors it compares; none if it is off."""
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
        judges, vectors = _errand_links(sources, slices, chain, embeddings)
        settings = cls(
            **slices,
            links=chain,
            embedding_links=embeddings,
            errand_links=judges,
            errand_embeddings=vectors,
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
        beside = (*self.errand_links, *self.errand_embeddings)
        return _each_once(*self.links, *self.embedding_links, *beside)

    @property
    def named_links(self) -> tuple[Link, ...]:
        """Those that an operator has named. The default one for embeddings may never be asked, so
        nothing is made ready for it: its vocabulary alone has 23 MB.
        """
        if "LLM_EMBEDDING_CHAIN" in self.origins:
            return self.all_links
        return _each_once(*self.links, *self.errand_links, *self.errand_embeddings)

    @property
    def for_errands(self) -> Self:
        """The same for what the semantic cache asks by itself: its links may be in no chain, and no
        job may name them there.
        """
        return self._replace(
            links=_each_once(*self.links, *self.errand_links),
            embedding_links=_each_once(*self.embedding_links, *self.errand_embeddings),
        )

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


def _errand_links(
    sources: Sources,
    slices: dict[str, Any],
    chain: tuple[Link, ...],
    embeddings: tuple[Link, ...],
) -> tuple[tuple[Link, ...], tuple[Link, ...]]:
    """The semantic cache's judge, and the link of its vectors."""
    wanted, models = slices["semantic"], slices["models"]
    if wanted is None or models is None or wanted.mode == "off":
        return (), ()

    def found(variable: str, name: str | None, own: tuple[Link, ...]) -> tuple[Link, ...]:
        known = (*own, *chain, *embeddings)
        return tuple(link_beside(variable, name, models.known, known, sources) if name else ())

    return (
        found("LLM_SEMANTIC_JUDGE", wanted.judge, chain),
        found("LLM_SEMANTIC_EMBEDDING", wanted.embedding, embeddings) or embeddings[:1],
    )


def _each_once(*links: Link) -> tuple[Link, ...]:
    return tuple({link.name: link for link in links}.values())


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
