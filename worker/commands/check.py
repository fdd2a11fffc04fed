"""`completions check`: is the worker's configuration complete and valid? The same words as a worker
that refuses to start.
"""

import re
from datetime import UTC, datetime

import click

from ..ledger.connection import ERRORS, unsafe
from ..runtime import audit_sink, checked_settings, ending, operator, warnings
from ..sealing import Seal
from ..settings import AuditSettings, SettingsError


@click.command()
@click.option("--offline", is_flag=True, help="Do not ask the ledger's server whether it answers.")
def check(offline: bool) -> None:
    """Say what is wrong with the environment, every problem at once. Exit code 1 if anything is.

    Else say where each secret, and whatever else is set, comes from; never its value.

    \b
    OPENAI_API_KEY=... completions check
    """
    try:
        settings = checked_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    for position, link in enumerate(settings.links, start=1):
        where = re.sub(r"//.*@", "//...@", link.base_url or "default URL")
        click.echo(f"link {position}: {link.name} (adapter {link.adapter}, {where})")
    width = max(map(len, settings.origins))
    for variable, origin in sorted(settings.origins.items()):
        click.echo(f"{variable:<{width}}  {origin}")
    for warning in (*ending(settings, datetime.now(UTC).date()), *warnings(settings)):
        click.secho(warning, fg="yellow", err=True)
    if not offline:
        _ping()
        _ping_audit(settings.audit)
    click.echo("The configuration is complete and valid.")


def _ping() -> None:
    try:
        ledger = operator().redis
        ledger.ping()
    except ERRORS as error:
        raise click.ClickException(
            f"The ledger does not answer ({type(error).__name__}: {error}). "
            "Fix: start Redis or export REDIS_URL=redis://host:6379/0"
        ) from None
    click.echo("ledger: answers")
    for warning in unsafe(ledger):
        click.secho(warning, fg="yellow", err=True)


def _ping_audit(settings: AuditSettings) -> None:
    """A worker may only write there, and PING."""
    sink = audit_sink(settings)
    if sink is None or settings.key is None:
        return
    try:
        sink.ping()
    except ERRORS as error:
        raise click.ClickException(
            f"The audit log does not answer ({type(error).__name__}: {error}), so jobs would wait. Fix: check LLM_AUDIT_URL"
        ) from None
    click.echo(f"audit log: answers; sealed for key {Seal(settings.key).id}")
