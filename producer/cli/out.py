"""`--out`: where results are written. Looked at before anything is paid for, so that the end cannot
fail for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


def can_hold(file: Path) -> None:
    """Raises `click.ClickException` unless `file` can be written."""
    with told(file):
        existed = file.exists()
        file.open("a").close()
        if not existed:
            file.unlink()


def can_hold_files(folder: Path) -> None:
    """Makes `folder`. Raises `click.ClickException` unless files can be written into it."""
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
    can_hold(folder / ".completions")


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What the system says of `path`, as an error of the command."""
    try:
        yield
    except OSError as error:
        raise click.ClickException(
            f"--out {path} cannot be written: {error.strerror}. Fix: name another"
        ) from None
