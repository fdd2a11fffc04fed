"""`completions erase`: forget a user (the right to erasure)."""

import sys
import time
from collections.abc import Iterator

import click

from producer.contract.publication import Publication
from producer.contract.user_ids import alike

from ..audit.reader import AuditReader
from ..erasure import Erased, Erasure
from ..ledger.connection import LedgerConnection, RedisError, connect
from ..semantic.index import Away
from ..settings import load_redis
from .audit import Reason, audit_log_server, who
from .chroma import away, chroma_server
from .releases import publish
from .servers import SaidName, Server, answering, operators_ledger

PATIENCE_S = 60.0
"""How long it waits for running calls to be stopped."""
SAY_S = 5.0
"""Between two lines that say how far it is."""
PAUSE_S = 1.0
"""Between two passes."""
REPEAT = "Not all is forgotten: repeat the command."


@click.command()
@click.argument("user", type=SaidName())
@click.option(
    "--reason",
    type=Reason(),
    required=True,
    help="Why, for example a ticket; kept in the audit log, if there is one.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(user: str, reason: str, yes: bool) -> None:
    """Forget USER: jobs, answers, cached answers, dead letters, batches, limits and the audit log.
    It cannot be undone.

    What still waits or runs is cancelled. What USER spent stays in the sums, under no name. Logs
    are yours to clean: they hold no prompt, but the name. Exit code 1: something was still running,
    repeat it.

    \b
    completions erase user-17 --reason "request of 2026-11-25"
    """
    if not yes:
        click.confirm(f"Forget everything of {user}?", abort=True)
    erased = _erase(user, reason)
    click.echo(
        f"Forgotten: {erased.jobs:,} jobs, {erased.cached:,} cached answers, "
        f"{erased.batches:,} batches, {erased.audited:,} jobs in the audit log; "
        f"{erased.usage_rows:,} rows of usage have no name now."
    )
    if erased.left:
        raise click.ClickException(
            f"{erased.left:,} vectors are left in Chroma. "
            "Fix: if it is still there, export LLM_SEMANTIC_INDEX=..., and repeat"
        )
    if erased.unfinished:
        raise click.ClickException(
            f"{erased.unfinished:,} jobs or batches have not ended yet. Fix: repeat in a minute"
        )


def _erase(user: str, reason: str) -> Erased:
    """Noted in the audit log first, if there is one."""
    settings = load_redis()
    connection = LedgerConnection(settings)
    results = connect(settings.backend)
    servers = [
        Server(connection.redis, settings.ledger),
        Server(results, settings.backend, "REDIS_URL and CELERY_RESULT_BACKEND"),
    ]
    audit_log = None
    if audit := audit_log_server():
        servers.append(audit)
        audit_log = AuditReader(audit.redis, connection.keys)
    ledger = operators_ledger(connection)
    chroma = chroma_server(settings.prefix)
    erasure = Erasure(connection.redis, connection.keys, ledger, results, audit_log, chroma)
    with answering(*servers):
        try:
            if audit_log:
                audit_log.record_erasure(user, who(), reason, connection.hash_key())
            total = Erased()
            # Also what is there from before LLM_USER_IDS was set.
            for name in sorted({user, alike(user, settings.user_ids)}):
                total.add(_until_done(erasure, name, connection))
            return total
        except RedisError:
            click.echo(REPEAT, err=True)
            raise
        except Away as error:
            raise click.ClickException(f"{away(error)}. {REPEAT}") from None
        finally:
            if chroma:
                chroma.close()


def _until_done(erasure: Erasure, user: str, connection: LedgerConnection) -> Erased:
    """Pass after pass, while calls are being stopped."""
    total = Erased()
    give_up = time.monotonic() + PATIENCE_S
    while True:
        keys = int(connection.redis.dbsize())
        total.add_pass(_one_pass(erasure.run(user), keys))
        if not total.unfinished or time.monotonic() > give_up:
            return total
        time.sleep(PAUSE_S)


def _one_pass(
    pages: Iterator[tuple[Erased, list[Publication]]],
    keys: int,
) -> Erased:
    """Run one pass to its end. `keys`: how many the ledger has, for the bar.

    Where there is no terminal, a line now and then says how far it is.
    """
    erased = Erased()
    shown = 0
    said = time.monotonic()
    with click.progressbar(length=keys, label="looking", hidden=not sys.stdout.isatty()) as bar:
        for erased, publications in pages:
            publish(publications)
            bar.update(erased.scanned - shown)
            shown = erased.scanned
            if bar.hidden and time.monotonic() - said > SAY_S:
                said = time.monotonic()
                click.echo(
                    f"{shown:,} of about {keys:,} keys looked at; {erased.jobs:,} jobs forgotten"
                )
    return erased
