"""`completions check`: is the worker's configuration complete and valid?

Problems are reported in the same words as by a worker that refuses to start.
"""

import re
from datetime import UTC, datetime

import click

from .. import startup_checks
from ..audit.server import audit_server
from ..faults import ProviderError
from ..ledger.connection import LedgerConnection, server_at
from ..loop import Loop
from ..providers.clients import Clients
from ..providers.credentials import Credentials
from ..providers.default_requests import DefaultRequests
from ..providers.dialects import dialect_of
from ..sealing import Seal
from ..semantic.index import Away
from ..settings import AuditSettings, RedisSettings, Settings
from .celery_clients import try_clients
from .chroma import away, chroma_server
from .live import LiveCheck
from .servers import Server, answering

SAYS_NOTHING = "See yourself that maxmemory-policy is noeviction and appendonly is yes"
"""Of a server without INFO, or whose user may not use it."""


@click.command()
@click.option("--offline", is_flag=True, help="Do not ask the ledger's server whether it answers.")
@click.option("--live", is_flag=True, help="Make a few small calls at every link. They cost money.")
def check(offline: bool, live: bool) -> None:
    """Say what is wrong with the environment, every problem at once. Exit code 1 if anything is.

    Else say where each secret, and whatever else is set, comes from; never its value. A question
    without any options is priced and bounded at every link, as a worker would, without a call.

    With --live, say of every link what is wrong with its key, URL or model, and whether its server
    can call a tool and answer in JSON: three calls of at most 400 tokens each.

    \b
    OPENAI_API_KEY=... completions check
    completions check --live
    """
    settings = startup_checks.checked_settings()
    _show(settings)
    for warning in startup_checks.warnings(settings, datetime.now(UTC).date()):
        _warn(warning)
    if not offline:
        _ask_ledger(settings.redis)
        _ask_audit_log(settings.audit)
        _ask_chroma(settings.redis.prefix)
    try_clients(settings.redis, offline)
    _build_clients(settings)
    if live and not LiveCheck(settings).run():
        raise click.ClickException("not every link answers")
    if DefaultRequests(settings).refused_everywhere():
        raise click.ClickException("no link can take a question: see the warnings above")
    click.echo("The configuration is complete and valid.")


def _show(settings: Settings) -> None:
    """The provider chain, and where the variables are from."""
    for position, link in enumerate(settings.links, start=1):
        url = re.sub(r"//.*@", "//...@", link.base_url or "default URL")
        spoken = f"adapter {link.adapter}"
        if link.adapter == "openai":
            spoken += f", dialect {dialect_of(link)}"
        click.echo(f"link {position}: {link.name} ({spoken}, {url})")
    for link in settings.embedding_links:
        click.echo(f"embeddings: {link.name} (adapter {link.adapter})")
    for link in (*settings.errand_embeddings, *settings.errand_links):
        click.echo(f"semantic cache: {link.name} (adapter {link.adapter})")
    width = max(map(len, settings.origins))
    for variable, origin in sorted(settings.origins.items()):
        click.echo(f"{variable:<{width}}  {origin}")


def _build_clients(settings: Settings) -> None:
    """Each link's client, without a call."""
    loop = Loop()
    clients = Clients(loop, Credentials(settings.all_links, settings.sources))
    try:
        for link in settings.all_links:
            clients.build(link)
    except ProviderError as error:
        raise click.ClickException(error.of(link.name)) from None
    finally:
        clients.close()
        loop.close()


def _ask_ledger(settings: RedisSettings) -> None:
    connection = LedgerConnection(settings)
    redis = connection.redis
    with answering(Server(redis, settings.ledger)):
        redis.ping()
        startup_checks.load_functions(connection)
        click.echo("ledger: answers")
        server = server_at(redis)
        if server is None:
            click.echo(f"ledger: says nothing of itself. {SAYS_NOTHING}")
            return
        for warning in server.can_lose_jobs():
            _warn(warning)


def _ask_audit_log(settings: AuditSettings) -> None:
    """A worker may only write there, and PING."""
    redis = audit_server(settings)
    if redis is None or settings.url is None or settings.key is None:
        return
    with answering(Server(redis, settings.url.get_secret_value(), "LLM_AUDIT_URL")):
        redis.ping()
    click.echo(f"audit log: answers; sealed for key {Seal(settings.key).id}")


def _ask_chroma(fleet: str) -> None:
    """A worker starts without it, too, and finds nothing near then."""
    if chroma := chroma_server(fleet):
        try:
            chroma.prepare()
        except Away as error:
            raise click.ClickException(away(error)) from None
        finally:
            chroma.close()
        click.echo("Chroma: answers")


def _warn(warning: str) -> None:
    click.secho(warning, fg="yellow", err=True)
