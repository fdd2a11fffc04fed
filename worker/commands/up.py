"""`completions up`: all that answers, in one terminal."""

import fcntl
import secrets
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from producer import env_file, extras

from .. import startup_checks
from ..embedded import EmbeddedValkey, free_port
from ..providers.default_requests import DefaultRequests
from ..settings import RedisSettings, SettingsError, load_redis
from .services import Service

FOLDER = Path(".completions")
ADDRESS = Path(env_file.OF_UP)
"""Where commands in this folder find the server."""
USUAL = 6379
"""Where everything looks for Redis that was told nothing else."""
LOCAL = ("127.0.0.1", "localhost")
SIMULATED = {"LLM_CHAIN": "simulator:sim-large"}
CALLS_S = 60.0
"""What runs has so long to end after Ctrl-C."""


@click.command()
@click.option("--simulate", is_flag=True, help="Answers are made up: no key, no money.")
def up(simulate: bool) -> None:
    """Run a private Valkey, a worker and Flower until Ctrl-C, with data and logs in ./.completions.

    For one machine and one person: settings come from the environment and from `.env`. In another
    terminal in the same folder the other commands find them.

    \b
    completions up --simulate
    completions ask "What is a message broker?"
    """
    with ExitStack() as stack:
        stack.enter_context(_ending_by_signal())
        try:
            _run(stack, simulate)
        except KeyboardInterrupt:
            click.echo("\nStopping: running calls end first; Ctrl-C again ends them")
    click.echo("Stopped; nothing is left running")


def _run(stack: ExitStack, simulate: bool) -> None:
    """Start everything, show it, and watch it until it is interrupted."""
    _refuse_unready(simulate)
    stack.enter_context(_only_one())
    port = _port(load_redis())
    url = f"redis://127.0.0.1:{port}/0"
    stack.enter_context(_told(url))
    env = env_file.environment() | {"REDIS_URL": url, "PYTHONUNBUFFERED": "1"}
    if simulate:
        env |= SIMULATED
    login = env.setdefault("FLOWER_BASIC_AUTH", f"me:{secrets.token_urlsafe(9)}")
    try:
        stack.enter_context(EmbeddedValkey(FOLDER / "valkey", port))
    except RuntimeError as error:
        raise click.ClickException(str(error)) from None
    worker = Service("worker", ["worker", "-n", "up@%h", "-l", "INFO"], env, FOLDER, CALLS_S)
    flower_port = free_port()
    address = f"http://127.0.0.1:{flower_port}"
    flags = ["--address=127.0.0.1", f"--port={flower_port}"]
    flower = Service("flower", ["flower", *flags], env, FOLDER)
    services = [stack.enter_context(each) for each in (worker, flower)]
    worker.wait(lambda: " ready." in worker.text())
    flower.wait(lambda: _answers(f"{address}/healthcheck"))
    _show(url, address, login, simulate)
    while True:
        for each in services:
            if each.ended:
                each.fail("ended")
        time.sleep(0.2)


def _refuse_unready(simulate: bool) -> None:
    """Raises `click.ClickException` for what is not installed, or not set."""
    if {"embedded", "dashboard"}.intersection(extras.missing()):
        raise click.ClickException(extras.needs("completions up", "embedded"))
    if simulate:
        return
    try:
        settings = startup_checks.checked_settings()
    except SettingsError as error:
        hint = "To try it without a key: completions up --simulate"
        raise click.ClickException(f"{error}\n{hint}") from None
    for warning in startup_checks.warnings(settings, datetime.now(UTC).date()):
        click.echo(warning, err=True)
    if DefaultRequests(settings).refused_everywhere():
        raise click.ClickException("no link can take a question: see above")


def _show(url: str, flower: str, login: str, simulate: bool) -> None:
    user, _, password = login.partition(":")
    about = "made-up answers" if simulate else "what `completions check` shows"
    click.echo(
        f"""
  valkey   {url}   data and log in {FOLDER}/valkey
  worker   {about}   log in {FOLDER}/worker.log
  flower   {flower}   user {user}, password {password}   log in {FOLDER}/flower.log

In another terminal, in this folder:

  completions ask "What is a message broker?"
  completions summarize FOLDER --user me

Your app finds it by REDIS_URL={url}

Ctrl-C ends all of it."""
    )


def _port(settings: RedisSettings) -> int:
    """Where the server is to listen. Raises `click.ClickException` if the settings name another."""
    urls = {settings.broker, settings.backend, settings.ledger}
    parts = urlsplit(urls.pop())
    is_ours = parts.scheme == "redis" and parts.hostname in LOCAL and parts.path in ("", "/0")
    if urls or parts.password or not is_ours:
        raise click.ClickException(
            "the settings name a Redis elsewhere, and this starts its own. Fix: unset REDIS_URL "
            "(CELERY_BROKER_URL, CELERY_RESULT_BACKEND, LEDGER_URL), or start a worker for that "
            "one: celery -A worker worker"
        )
    port = parts.port or USUAL
    if _is_free(port):
        return port
    if "REDIS_URL" in env_file.origins or port == USUAL:
        return free_port()
    raise click.ClickException(
        f"something listens at 127.0.0.1:{port} already. Fix: unset REDIS_URL, or end that"
    )


@contextmanager
def _only_one() -> Iterator[None]:
    """The folder's lock, which goes with the process. What is in the folder is nobody else's."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
    with Path(env_file.LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException(
                "it runs in this folder already. Fix: end it with Ctrl-C, or go to another folder"
            ) from None
        yield


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Commands in this folder find the server inside the block."""
    ADDRESS.write_text(f"REDIS_URL={url}\n")
    try:
        yield
    finally:
        ADDRESS.unlink()


@contextmanager
def _ending_by_signal() -> Iterator[None]:
    """SIGTERM, and SIGINT also where a shell has it ignored, are `KeyboardInterrupt`."""
    before = {
        each: signal.signal(each, signal.default_int_handler)
        for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOCAL[0], port)) != 0


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as reply:  # noqa: S310 -- our own address
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False
