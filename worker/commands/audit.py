"""`completions audit`: what was sent to providers and what they answered.

Reading takes a reason and the private key; to list and to prove takes neither.
"""

import getpass
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any

import click

from producer.contract.errors import InvalidRequest
from producer.contract.requests import CompletionRequest

from ..audit.reader import AuditReader, Opened
from ..audit.server import audit_server
from ..audit.writer import Entry
from ..ledger.connection import Keys
from ..sealing import Keyring, Seal, Unopened, new_pair
from ..settings import AuditSettings, load, load_redis
from ..telemetry.logs import prompt_hash
from .servers import Server, UserName, answering, ledger_connection


class Reason(click.ParamType[str]):
    """Some words."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return value.strip() or self.fail("say why, for example a ticket's number", param, ctx)


@click.group()
def audit() -> None:
    """The audit log: prompts and answers, sealed (LLM_AUDIT_URL, LLM_AUDIT_KEY).

    Workers have the public key and can only write. Reading takes a private key in
    LLM_AUDIT_PRIVATE_KEYS, and leaves a record.
    """


@audit.command()
def key() -> None:
    """Make a new pair of keys. Nothing is stored: keep the private one where no worker is."""
    pair = new_pair()
    click.echo(f"# key {Seal(pair.public).id}. For workers:\nLLM_AUDIT_KEY={pair.public}")
    click.echo("# For readers only; several, comma separated, while old ones are needed:")
    click.echo(f"LLM_AUDIT_PRIVATE_KEYS={pair.private}")


@audit.command("list")
@click.argument("user", type=UserName())
def list_(user: str) -> None:
    """List a user's jobs, latest first: when, who answered; never what. Needs no key and leaves no
    record.
    """
    with _audit_log() as log:
        for job_id in log.jobs(user):
            entries = log.entries(job_id)
            shown = (f"{_time(each.at_ms)} {each.what} {each.link}".rstrip() for each in entries)
            click.echo("  ".join([job_id, *shown]))


@audit.command()
@click.argument("job_id")
@click.option("--reason", type=Reason(), required=True, help="Why you look; kept with your name.")
def show(job_id: str, reason: str) -> None:
    """Print what a job asked and what came back, as JSON lines. That you looked is noted before
    anything is opened.

    \b
    completions audit show 1b9d6bcd-... --reason "ticket 4711: the customer disputes the answer"
    """
    keyring = _keyring()
    with _audit_log() as log:
        try:
            opened = log.show(job_id, keyring, who(), reason)
        except Unopened as error:
            raise click.ClickException(str(error)) from None
    if not opened:
        raise _nothing_of(job_id)
    for each in opened:
        click.echo(json.dumps(_fields(each), ensure_ascii=False))


@audit.command()
@click.argument("job_id")
@click.argument("messages", type=click.File())
def prove(job_id: str, messages: IO[str]) -> None:
    """Were exactly these MESSAGES (a JSON file) what the job sent? Exit code 0: yes, 1: no. Nothing
    is opened, no key is needed.

    The same hash is in the log of the workers, as prompt_hash.

    \b
    completions audit prove 1b9d6bcd-... messages.json
    """
    try:
        claimed = CompletionRequest.checked(messages=json.load(messages))
    except (ValueError, InvalidRequest) as error:
        raise click.ClickException(f"{messages.name} is no list of messages: {error}") from None
    with _audit_log() as log:
        sent = [each.note for each in log.entries(job_id) if each.what == "asked"]
    if not sent:
        raise _nothing_of(job_id)
    with ledger_connection() as connection:
        hash_key = connection.hash_key()
    if prompt_hash(hash_key, claimed) not in sent:
        click.echo("no: other messages were sent")
        raise SystemExit(1)
    click.echo("yes: these messages were sent")


@audit.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def accesses(as_json: bool) -> None:
    """Who opened, resealed or erased what, when and why; latest first."""
    with _audit_log() as log:
        records = log.access_records()
    for each in records:
        fields = {
            "at": _time(each.at_ms),
            "what": each.what,
            "about": each.about,
            "who": each.who,
            "reason": each.reason,
        }
        click.echo(json.dumps(fields) if as_json else "  ".join(fields.values()))


@audit.command()
def rotate() -> None:
    """Seal every entry anew for LLM_AUDIT_KEY, so that older private keys may be destroyed. May be
    repeated and interrupted.

    \b
    completions audit key      # a new pair: its public half goes to the workers,
                               # its private half to the front of LLM_AUDIT_PRIVATE_KEYS
    completions audit rotate   # when every worker has the new one
    """
    settings = load(AuditSettings)
    keyring = _keyring()
    if settings.key is None:
        raise click.ClickException("no key to seal for. Fix: export LLM_AUDIT_KEY=...")
    seal = Seal(settings.key)
    count = 0
    with _audit_log() as log:
        try:
            for resealed in log.reseal(keyring, seal, who()):
                count += resealed
        except Unopened as error:
            raise click.ClickException(
                f"{count:,} entries were resealed before one that could not be: {error}"
            ) from None
    click.echo(f"{count:,} entries were sealed anew for key {seal.id}.")


def who() -> str:
    """Who runs this command, and where."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def audit_log_server() -> Server | None:
    """The audit log's server, if there is one. Raises `SettingsError`."""
    settings = load(AuditSettings)
    server = audit_server(settings)
    if server is None or settings.url is None:
        return None
    return Server(server, settings.url.get_secret_value(), "LLM_AUDIT_URL")


@contextmanager
def _audit_log() -> Iterator[AuditReader]:
    keys = Keys(load_redis().prefix)
    server = audit_log_server()
    if server is None:
        raise click.ClickException("there is no audit log. Fix: export LLM_AUDIT_URL=redis://...")
    with answering(server):
        yield AuditReader(server.redis, keys)


def _keyring() -> Keyring:
    try:
        return load(AuditSettings).keyring
    except ValueError as error:
        raise click.ClickException(f"LLM_AUDIT_PRIVATE_KEYS: {error}") from None


def _nothing_of(job_id: str) -> click.ClickException:
    return click.ClickException(
        f"the audit log has nothing of job {job_id}: never asked, or kept no longer"
    )


def _fields(opened: Opened) -> dict[str, Any]:
    entry: Entry = opened.entry
    fields = {
        "job_id": entry.job_id,
        "user_id": entry.user_id,
        "at": _time(entry.at_ms),
        "what": entry.what,
        "link": entry.link or None,
        "note": entry.note or None,
        "key": entry.key_id,
    }
    if opened.content is not None:
        fields["content"] = opened.content
    return fields


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
