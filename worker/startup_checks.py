"""What must hold before a worker's first job, and what it warns about.

`completions check` does the same without starting a worker.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from importlib.util import find_spec

from producer.contract.ledger.functions import LibraryMissing, ServerTooOld
from producer.extras import needs

from . import output_filters, providers
from .budgets.price_checks import PriceChecks
from .ledger.connection import ERRORS, LedgerConnection, Redis, connect, server_at
from .monitoring.findings import NAMES
from .providers.default_requests import DefaultRequests
from .providers.dialects import DIALECTS
from .providers.tokens import load_vocabularies
from .settings import (
    VENDORS_OWN,
    AlertSettings,
    AuditSettings,
    Link,
    Problem,
    Settings,
    SettingsError,
    invalid,
    link_prefix,
    load,
)

NOTICE_DAYS = 90
"""How many days before its provider shuts a model down the warnings begin."""


def checked_settings() -> Settings:
    """All settings, checked in full. Raises `SettingsError` with every problem there is."""
    return Settings.load(examine=_problems)


def checked_alerts() -> AlertSettings:
    """The alert settings alone. Raises `SettingsError`, also for findings that do not exist."""
    settings = load(AlertSettings)
    if problems := list(_unknown_findings(settings)):
        raise SettingsError(problems)
    return settings


def refuse_servers(connection: LedgerConnection) -> None:
    """Raises `SettingsError` for each server of the fleet that can never be one."""
    settings = connection.settings
    problems = _problems_of("LEDGER_URL", connection.redis, is_ledger=True)
    others = {"CELERY_BROKER_URL": settings.broker, "CELERY_RESULT_BACKEND": settings.backend}
    for variable, url in others.items():
        if url != settings.ledger:
            client = connect(url)
            problems += _problems_of(variable, client)
            client.close()
    if problems:
        raise SettingsError(problems)


def _problems_of(variable: str, client: Redis, is_ledger: bool = False) -> list[Problem]:
    """None if it is away, or says nothing."""
    try:
        server = server_at(client)
    except ERRORS:
        return []
    if server is None:
        return []
    reasons = [*server.cannot_serve(), *(server.cannot_keep_jobs() if is_ledger else ())]
    return [Problem(variable, f"{variable}: {reason}") for reason in reasons]


def load_functions(connection: LedgerConnection) -> None:
    """Have the ledger's functions of this version on its server. If that does not answer, they are
    loaded when it does.

    Raises `SettingsError` for servers that can never be ours, or a user who may not load them.
    """
    refuse_servers(connection)
    try:
        connection.functions.load()
    except LibraryMissing:
        fix = "give its user +function|load, as deploy/valkey-users.acl does"
        raise SettingsError(
            [Problem("LEDGER_URL", f"LEDGER_URL: this user may not load functions. Fix: {fix}")]
        ) from None
    except ServerTooOld as error:
        raise SettingsError([Problem("LEDGER_URL", f"LEDGER_URL: {error}")]) from None
    except ERRORS:
        return


def warnings(settings: Settings, today: date) -> list[str]:
    """About settings that are allowed and hardly meant."""
    found = _models_that_end(settings, today)
    found += DefaultRequests(settings).warnings()
    found += PriceChecks(settings.pricing, settings.all_links, settings.models.known).warnings()
    found += [
        f"UNKNOWN_SETTING: {name} is none of ours: misspelt? See docs/configuration.md"
        for name in settings.unknown
    ]
    simulated = [link.name for link in settings.links if link.adapter == "simulator"]
    if simulated and len(simulated) < len(settings.links):
        found.append(
            f"SIMULATOR: {simulated[0]} is in LLM_CHAIN beside real providers: "
            "jobs may end with answers that are not real"
        )
    if settings.audit.private_keys:
        found.append(
            "UNSAFE_AUDIT: a worker has LLM_AUDIT_PRIVATE_KEYS, "
            "so whoever has its machine can read the audit log"
        )
    return found


def _models_that_end(settings: Settings, today: date) -> list[str]:
    """A warning per link whose model its provider shuts down within `NOTICE_DAYS`, or has."""
    models = settings.models.known
    found = []
    for link in settings.links:
        ends = models.of(link.provider, link.model).ends
        if ends is None or (ends - today).days > NOTICE_DAYS:
            continue
        verb = "ended" if ends < today else "ends"
        instead = models.alias(link.provider, "fast")
        found.append(
            f"MODEL_ENDS: {link.name} {verb} on {ends}. "
            f"Fix: put another into LLM_CHAIN, for example {instead}"
        )
    return found


def _problems(settings: Settings) -> Iterator[Problem]:
    """What no slice of the settings can know by itself.

    A slice that could not be read is None; its problems are reported already.
    """
    yield from _unknown_adapters(settings.all_links)
    yield from _unknown_dialects(settings.all_links)
    yield from _simulated_by_mistake(settings)
    if settings.filters:
        yield from _unknown_filters(settings.filters.output)
    if settings.models:
        yield from _unknown_vocabularies(settings)
    if settings.models and settings.pricing:
        yield from _prices_in_another_unit(settings)
        yield from _free_links_of_vendors(settings)
    if settings.alerts:
        yield from _unknown_findings(settings.alerts)
    if settings.audit:
        yield from _missing_audit_key(settings.audit)
    if settings.semantic:
        yield from _semantic_links(settings)


def _unknown_adapters(links: tuple[Link, ...]) -> Iterator[Problem]:
    for position, link in enumerate(links, start=1):
        try:
            providers.load(link.adapter)
        except LookupError as error:
            base_url = f"{link_prefix(link.provider)}BASE_URL"
            yield invalid(
                "LLM_CHAIN",
                f"link {position}, {link.name}: {error}",
                f"use a known provider, or export {base_url}=... for an OpenAI-compatible one",
            )


def _simulated_by_mistake(settings: Settings) -> Iterator[Problem]:
    """A real customer must not be told a simulated answer because a key was misspelt."""
    meant = [name for name in settings.unknown if VENDORS_OWN.fullmatch(name)]
    if meant and any(link.adapter == "simulator" for link in settings.links):
        yield invalid(
            "LLM_CHAIN",
            f"has a simulator, whose answers are not real, and {meant[0]} is no setting of ours",
            f"name the provider in LLM_CHAIN and correct {meant[0]}, or unset it",
        )


def _unknown_dialects(links: tuple[Link, ...]) -> Iterator[Problem]:
    for link in links:
        if link.dialect and link.dialect not in DIALECTS:
            yield invalid(
                f"{link_prefix(link.provider)}DIALECT",
                f"no dialect is called {link.dialect!r}",
                f"leave it out, or use one of {', '.join(DIALECTS)}",
            )


def _unknown_filters(names: Iterable[str]) -> Iterator[Problem]:
    for name in names:
        try:
            output_filters.load(name)
        except LookupError as error:
            yield invalid("LLM_OUTPUT_FILTERS", str(error), "correct the name")


def _unknown_vocabularies(settings: Settings) -> Iterator[Problem]:
    models = ((link.provider, link.model) for link in settings.named_links)
    try:
        load_vocabularies(settings.models.known, models)
    except ValueError as error:
        yield invalid("LLM_MODELS_FILE", str(error), "name another tokenizer")


def _prices_in_another_unit(settings: Settings) -> Iterator[Problem]:
    models = settings.models.known
    # A row for all models of a provider is meant for its answers, not for vectors of texts.
    for reason in PriceChecks(settings.pricing, settings.links, models).refusals():
        yield invalid(
            "LLM_PRICES",
            reason,
            "write dollars per million tokens, or end the row with ! if it is meant",
        )


def _free_links_of_vendors(settings: Settings) -> Iterator[Problem]:
    models = settings.models.known
    for link, reason in PriceChecks(settings.pricing, settings.all_links, models).not_free():
        yield invalid(f"{link_prefix(link.provider)}FREE", reason, "remove it")


def _unknown_findings(settings: AlertSettings) -> Iterator[Problem]:
    unknown = sorted((settings.names or frozenset()) - set(NAMES))
    if unknown:
        yield invalid(
            "LLM_ALERTS",
            f"no finding is called {', '.join(unknown)}",
            f"use some of {', '.join(NAMES)}, or none",
        )


def _missing_audit_key(settings: AuditSettings) -> Iterator[Problem]:
    if settings.url and not settings.key:
        yield Problem(
            "LLM_AUDIT_KEY",
            "Missing required env var: LLM_AUDIT_KEY (LLM_AUDIT_URL needs it). "
            "Fix: export the public key of a pair; `completions audit key` makes one",
        )


def _semantic_links(settings: Settings) -> Iterator[Problem]:
    """The semantic cache asks links that are there."""
    wanted = settings.semantic
    if wanted.mode == "off":
        return
    if not settings.errand_embeddings and not wanted.embedding:
        yield Problem(
            "LLM_SEMANTIC_EMBEDDING",
            "Missing required env var: LLM_SEMANTIC_EMBEDDING or LLM_EMBEDDING_CHAIN "
            "(LLM_SEMANTIC_CACHE needs one). "
            "Fix: export LLM_SEMANTIC_EMBEDDING=openai:text-embedding-3-small",
        )
    if find_spec("numpy") is None:
        yield invalid(
            "LLM_SEMANTIC_CACHE", needs("the semantic cache", "semantic"), "install it, or unset it"
        )
    if wanted.index and find_spec("chromadb") is None:
        yield invalid(
            "LLM_SEMANTIC_INDEX", needs("vectors in Chroma", "chroma"), "install it, or unset it"
        )
