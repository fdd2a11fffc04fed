"""The provider chain: its links, and where each finds its server and its key."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import NoDecode

from ..model_catalog import Models
from .base import Problem, Slice, invalid, pairs, variable, written_as
from .sources import Sources
from .usable import usable_headers, usable_key, usable_url

VENDORS = {
    "openai": "OPENAI_",
    "openai-responses": "OPENAI_",
    "anthropic": "ANTHROPIC_",
    "gemini": "GOOGLE_",
    "gemini-legacy": "GOOGLE_",
}
"""Providers that need a key -> the prefix of their own variables, <prefix>API_KEY and
<prefix>BASE_URL.
"""

DEFAULT_EMBEDDINGS = "openai:text-embedding-3-small"
"""Where the chain has a link of this provider, and so its key."""


class ServerSettings(Slice):
    """Where a provider answers, and the key to it.

    Variables: LLM_LINK_<NAME>_BASE_URL, _API_KEY, or those of `VENDORS`.
    """

    base_url: Annotated[str | None, AfterValidator(usable_url)] = None
    api_key: Annotated[SecretStr | None, AfterValidator(usable_key)] = None


class LinkSettings(Slice):
    """How a link is spoken to, and whether it costs. Variables: LLM_LINK_<NAME>_ADAPTER, _DIALECT,
    _OPTIONS, _HEADERS, _FREE.
    """

    adapter: str | None = None
    dialect: str | None = None
    """One of `worker.providers.dialects`; None: guessed."""
    options: Annotated[dict[str, str], NoDecode, written_as(lambda text: pairs(text, ";"))] = Field(
        default_factory=dict
    )
    """For the adapter, as "name=value;name=value"."""
    headers: Annotated[
        dict[str, SecretStr],
        NoDecode,
        written_as(lambda text: usable_headers(pairs(text, ";"))),
    ] = Field(default_factory=dict)
    """Sent with every call, as "name=value;name=value"."""
    free: bool = False
    """Its calls cost nothing, whatever the model: a server of one's own."""


class Link(BaseModel):
    """One step of the provider chain, in full."""

    model_config = ConfigDict(frozen=True)

    provider: str
    model: str
    adapter: str
    base_url: str | None = None
    api_key: SecretStr | None = None
    dialect: str | None = None
    options: dict[str, str] = {}
    headers: dict[str, SecretStr] = {}
    free: bool = False

    @property
    def name(self) -> str:
        return f"{self.provider}:{self.model}"

    def for_model(self, model: str, models: Models) -> Self:
        """The link with that model, over OpenAI's Responses if its chat does not serve it."""
        adapter = self.adapter
        if adapter == "openai" and models.of(self.provider, model).api == "responses":
            adapter = "openai-responses"
        return self.model_copy(update={"model": model, "adapter": adapter})


class ChainSettings(Slice):
    """The ordered links, as they are written."""

    chain: Annotated[str, Field(min_length=3)] | None = variable("LLM_CHAIN", None)
    provider: str = variable("LLM_PROVIDER", "openai")
    model: str = variable("LLM_MODEL", "fast")
    embeddings: str | None = variable("LLM_EMBEDDING_CHAIN", None)

    def links(self, models: Models) -> list[tuple[str, str]]:
        """(provider, model) pairs, in order.

        Aliases stand for their models, and a provider alone for its "fast" one. The model is ""
        where there is none.
        """
        return [
            (provider, models.alias(provider, model or "fast") or model)
            for provider, model in _pairs(self.chain or f"{self.provider}:{self.model}")
        ]

    def embedding_links(self) -> list[tuple[str, str]]:
        """The same of those that make embeddings; [] if there are none."""
        text = self.embeddings
        if text is None:
            provider, _ = _pairs(DEFAULT_EMBEDDINGS)[0]
            chain = _pairs(self.chain or f"{self.provider}:{self.model}")
            text = DEFAULT_EMBEDDINGS if provider in dict(chain) else ""
        return _pairs(text)


def _pairs(text: str) -> list[tuple[str, str]]:
    """(provider, model) of each item of a list of links."""
    names = (item.strip().partition(":") for item in text.split(",") if item.strip())
    return [(provider, model) for provider, _, model in names]


def links(chain: ChainSettings, models: Models, sources: Sources) -> tuple[Link, ...]:
    """The chain in full; what is wrong with it is added to the problems of `sources`."""
    names = chain.links(models)
    if not names:
        sources.problems.append(_bad_chain("LLM_CHAIN", "names no link"))
    found = _in_full("LLM_CHAIN", names, {}, sources)
    return tuple(link.for_model(link.model, models) for link in found)


def embedding_links(
    chain: ChainSettings, known: tuple[Link, ...], sources: Sources
) -> tuple[Link, ...]:
    """The same of those that make embeddings; a provider of `known` links is not read again."""
    servers = {link.provider: link for link in known}
    return tuple(_in_full("LLM_EMBEDDING_CHAIN", chain.embedding_links(), servers, sources))


def link_beside(
    variable: str, name: str, models: Models, known: tuple[Link, ...], sources: Sources
) -> list[Link]:
    """The one of that name, which need be in no chain; a provider of `known` links is not read
    again. [] if anything is wrong.
    """
    for link in known:
        if link.name == name:
            return [link]
    servers = {link.provider: link for link in known}
    found = _in_full(variable, _pairs(name)[:1], servers, sources)
    return [link.for_model(link.model, models) for link in found]


def _in_full(
    variable: str, names: list[tuple[str, str]], servers: dict[str, Link], sources: Sources
) -> list[Link]:
    found = []
    for position, (provider, model) in enumerate(names, start=1):
        if not provider or not model:
            reason = f"link {position} is not provider:model"
            sources.problems.append(_bad_chain(variable, reason))
        elif provider in servers:
            found.append(servers[provider].model_copy(update={"model": model}))
        elif link := _link(position, provider, model, sources):
            found.append(link)
    return found


def read_server(provider: str, sources: Sources) -> ServerSettings | None:
    """None if anything is wrong, as `Sources.read`."""
    return sources.read(ServerSettings, VENDORS.get(provider) or link_prefix(provider))


def _link(position: int, provider: str, model: str, sources: Sources) -> Link | None:
    own = sources.read(LinkSettings, link_prefix(provider))
    server = read_server(provider, sources)
    if own is None or server is None:
        return None
    adapter = own.adapter or ("openai" if server.base_url else provider)
    if provider in VENDORS:
        adapter = provider
        _refuse_misnamed(provider, sources)
        if server.api_key is None:
            sources.problems.append(_missing_key(position, provider))
    return Link(
        provider=provider,
        model=model,
        adapter=adapter,
        base_url=server.base_url,
        api_key=server.api_key,
        dialect=own.dialect,
        options=own.options,
        headers=own.headers,
        free=own.free,
    )


def _refuse_misnamed(provider: str, sources: Sources) -> None:
    """A vendor's address or key under another link's name would be ignored, and its customers'
    prompts would go to the vendor.
    """
    given = sources.read(ServerSettings, link_prefix(provider)) or ServerSettings()
    for field in sorted(given.model_fields_set):
        name, own = (
            f"{each}{field.upper()}" for each in (link_prefix(provider), VENDORS[provider])
        )
        reason = f"of {provider} itself it is called {own}"
        sources.problems.append(invalid(name, reason, f"export {own}=... and unset {name}"))


def link_prefix(provider: str) -> str:
    """How the variables of a link of this provider begin."""
    return f"LLM_LINK_{provider.upper().replace('-', '_')}_"


def _bad_chain(name: str, reason: str) -> Problem:
    examples = {"LLM_CHAIN": "openai:fast,anthropic:fast"}
    return invalid(name, reason, f"export {name}={examples.get(name, DEFAULT_EMBEDDINGS)}")


def _missing_key(position: int, provider: str) -> Problem:
    name = f"{VENDORS[provider]}API_KEY"
    return Problem(
        name,
        f"Missing required env var: {name} (link {position}, {provider}, needs it). "
        f"Fix: export {name}=...",
    )
