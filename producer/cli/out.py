"""`--out`: where results are written.

Checked before anything is paid for, so that a batch does not end without a place for its results.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


def check_file(file: Path) -> None:
    """Raises `click.ClickException` unless `file` can be written."""
    with os_errors_as_messages(file):
        existed = file.exists()
        file.open("a").close()
        if not existed:
            file.unlink()


def check_folder(folder: Path) -> None:
    """Makes `folder`. Raises `click.ClickException` unless files can be written into it."""
    with os_errors_as_messages(folder):
        folder.mkdir(parents=True, exist_ok=True)
    check_file(folder / ".completions")


@contextmanager
def os_errors_as_messages(path: Path) -> Iterator[None]:
    """What the system says about `path`."""
    try:
        yield
    except OSError as error:
        raise click.ClickException(
            f"--out {path} cannot be written: {error.strerror}. Fix: name another"
        ) from None
