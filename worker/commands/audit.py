"""`completions audit`: what was sent and answered, for whoever has a reason and the private key;
and proofs that need neither.
"""

import getpass
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import IO, Any, TypeVar

import click

from producer.contract.errors import InvalidRequest
from producer.contract.requests import CompletionRequest

from ..audit.reader import AuditReader
from ..audit.writer import Entry
from ..ledger.connection import ERRORS
from ..runtime import audit_sink, operator
from ..sealing import Keyring, Seal, Unopened, new_pair
from ..settings import AuditSettings, load
from ..telemetry.logs import prompt_hash

T = TypeVar("T")


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
    click.echo(
        f"# For readers only; several, comma separated, while old ones are needed:\nLLM_AUDIT_PRIVATE_KEYS={pair.private}"
    )


@audit.command("list")
@click.argument("user")
def list_(user: str) -> None:
    """List a user's jobs, latest first: when, who answered; never what. Needs no key and leaves no
    record.
    """
    log = _trail()
    for job_id in _asked(lambda: log.jobs(user)):
        entries = _asked(lambda job_id=job_id: log.entries(job_id))  # type: ignore[misc]
        click.echo(
            "  ".join(
                (
                    job_id,
                    *(f"{_time(each.at_ms)} {each.what} {each.link}".rstrip() for each in entries),
                )
            )
        )


@audit.command()
@click.argument("job_id")
@click.option("--reason", type=Reason(), required=True, help="Why you look; kept with your name.")
def show(job_id: str, reason: str) -> None:
    """Print what a job asked and what came back, as JSON lines. That you looked is noted before
    anything is opened.

    \b
    completions audit show 1b9d6bcd-... --reason "ticket 4711: the customer disputes the answer"
    """
    log, keyring = _trail(), _keyring()
    try:
        opened = _asked(lambda: log.show(job_id, keyring, who(), reason))
    except Unopened as error:
        raise click.ClickException(str(error)) from None
    if not opened:
        raise click.ClickException(
            f"the audit log has nothing of job {job_id}: never asked, or kept no longer"
        )
    for entry, content in opened:
        click.echo(
            json.dumps(
                _shown(entry) | ({"content": content} if content is not None else {}),
                ensure_ascii=False,
            )
        )


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
    log, ledger = _trail(), operator()
    sent = [each.note for each in _asked(lambda: log.entries(job_id)) if each.what == "asked"]
    if not sent:
        raise click.ClickException(
            f"the audit log has nothing of job {job_id}: never asked, or kept no longer"
        )
    same = _asked(lambda: prompt_hash(ledger.hash_key(), claimed)) in sent
    click.echo("yes: these messages were sent" if same else "no: other messages were sent")
    raise SystemExit(0 if same else 1)


@audit.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def looks(as_json: bool) -> None:
    """Who opened, resealed or erased what, when and why; latest first."""
    for each in _asked(_trail().looks):
        shown = {"at": _time(each.at_ms)} | {
            name: value for name, value in each._asdict().items() if name != "at_ms"
        }
        click.echo(json.dumps(shown) if as_json else "  ".join(shown.values()))


@audit.command()
def rotate() -> None:
    """Seal every entry anew for LLM_AUDIT_KEY, so that older private keys may be destroyed. May be
    repeated and interrupted.

    \b
    completions audit key      # a new pair: its public half goes to the workers,
                               # its private half to the front of LLM_AUDIT_PRIVATE_KEYS
    completions audit rotate   # when every worker has the new one
    """
    settings, log, keyring, count = load(AuditSettings), _trail(), _keyring(), 0
    if settings.key is None:
        raise click.ClickException("no key to seal for. Fix: export LLM_AUDIT_KEY=...")
    seal = Seal(settings.key)
    try:
        for resealed in _pages(log.reseal(keyring, seal, who())):
            count += resealed
    except Unopened as error:
        raise click.ClickException(
            f"{count:,} entries were resealed before one that could not be: {error}"
        ) from None
    click.echo(f"{count:,} entries were sealed anew for key {seal.id}.")


def who() -> str:
    """Who runs this command, and where."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def trail_or_none() -> AuditReader | None:
    """The audit log's, if there is one. Raises `SettingsError`, which `completions` tells in words."""
    sink = audit_sink(load(AuditSettings))
    return None if sink is None else AuditReader(sink, operator().keys)


def _trail() -> AuditReader:
    found = trail_or_none()
    if found is None:
        raise click.ClickException("there is no audit log. Fix: export LLM_AUDIT_URL=redis://...")
    return found


def _keyring() -> Keyring:
    try:
        return load(AuditSettings).keyring
    except ValueError as error:
        raise click.ClickException(f"LLM_AUDIT_PRIVATE_KEYS: {error}") from None


def _pages(pages: Any) -> Any:
    try:
        yield from pages
    except ERRORS as error:
        raise _down(error) from None


def _asked(question: Callable[[], T]) -> T:
    try:
        return question()
    except ERRORS as error:
        raise _down(error) from None


def _down(error: Exception) -> click.ClickException:
    return click.ClickException(
        f"Redis does not answer ({type(error).__name__}). Fix: check LLM_AUDIT_URL and LEDGER_URL"
    )


def _shown(entry: Entry) -> dict[str, Any]:
    return {
        "job_id": entry.job_id,
        "user_id": entry.user_id,
        "at": _time(entry.at_ms),
        "what": entry.what,
        "link": entry.link or None,
        "note": entry.note or None,
        "key": entry.key_id,
    }


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
