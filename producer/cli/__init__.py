"""The `completions` command.

Operations commands are in the worker and found by entry point: this package never imports it.
"""

import atexit
import signal
import threading
from importlib import import_module
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any, cast

import click

from .. import env_file, extras
from ..client import configure
from ..contract.errors import Unavailable
from ..contract.identifiers import visible
from ..current import current_settings
from ..ledger_client import CONNECTION_ERRORS, RedisError
from ..settings import SettingsError
from .ask import ask
from .batch import batch
from .errors import away
from .exam import exam
from .job import cancel, status
from .summarize import summarize_
from .terminal import output_errors_as_messages, visible_output

OURS = ("producer", "worker", "celery_completions")
BESIDE = __name__.removesuffix("producer.cli")


class _Plugins(click.Group):
    """Loads a sub-command from its entry point when it is asked for."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """What any command, also a plugin's, shows on a terminal is visible."""
        atexit.register(_ignore_interrupts)
        with visible_output():
            return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Wrong settings, and a ledger that does not answer, have one message in all commands."""
        try:
            if env_file.read():
                configure()  # what was imported may have read the settings before
            with output_errors_as_messages():
                return super().invoke(ctx)
        except SettingsError as error:
            raise click.ClickException(str(error)) from None
        except UnicodeEncodeError as error:
            raise click.UsageError(_no_utf8(error)) from None
        except (RedisError, Unavailable) as error:
            text = str(error)
            if isinstance(cause := _cause(error), CONNECTION_ERRORS):
                text = away(current_settings().ledger, cause)
            raise click.ClickException(text) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *(point.name for point in _points())})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        own = super().get_command(ctx, name)
        points = {point.name: point for point in _points()}
        if own or name not in points:
            return own
        try:
            command = _loaded(points[name])
        except ImportError as error:
            if (error.name or "").startswith(OURS):
                raise
            return _Absent(name)
        return cast(click.Command, command)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What each extra that is not installed would add."""
        absent = [(extra, extras.EXTRAS[extra]) for extra in extras.missing()]
        if absent:
            with formatter.section(f"Not installed ({extras.install('EXTRA')} adds it)"):
                formatter.write_dl(absent)


class _Absent(click.Command):
    """A command of the worker, which is not installed: whatever is asked of it, it says so."""

    def __init__(self, name: str) -> None:
        super().__init__(
            name,
            add_help_option=False,
            short_help=f"needs {extras.install(extras.of_command(name))}",
            context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        )

    def invoke(self, ctx: click.Context) -> Any:
        extra = extras.of_command(str(self.name))
        raise click.ClickException(extras.needs(f"completions {self.name}", extra))


def _ignore_interrupts() -> None:
    """A second Ctrl-C while the process ends would be a traceback."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _no_utf8(error: UnicodeEncodeError) -> str:
    """Of a word on the command line that came from a terminal with another encoding."""
    near = error.object[max(0, error.start - 30) : error.start + 30]
    return f'"{visible(near, keep="")}" is no UTF-8. Fix: a terminal that writes UTF-8'


def _cause(error: BaseException) -> BaseException:
    """What redis-py raised where `Unavailable` was raised."""
    while isinstance(error, Unavailable) and error.__context__:
        error = error.__context__
    return error


def _points() -> EntryPoints:
    return entry_points(group="completions.commands")


def _loaded(point: EntryPoint) -> Any:
    """Our own from the worker beside this package, whatever name both were loaded under."""
    if not point.module.startswith("worker."):
        return point.load()
    return getattr(import_module(BESIDE + point.module), point.attr)


@click.group(cls=_Plugins, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="celery-completions")
def main() -> None:
    """Asynchronous LLM completions on Celery.

    \b
    completions ask "What is Celery?" --user demo
    completions check          is the worker's configuration complete and valid?
    completions stats          the fleet's latencies
    """


for command in (ask, status, cancel, batch, summarize_, exam):
    main.add_command(command)
