"""Where `completions summarize` writes: standard output, one file, or a folder of files."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import click

from ..batch_items import Item
from ..contract.completions import Completion
from ..documents import STDIN
from ..reading.ignored import OUTPUT_MARK
from .errors import named_failure
from .one_file import OneFile
from .out import check_folder, check_parquet, os_errors_as_messages, replaced
from .reading import Documents
from .summary_rows import FORMS, row_of

PARQUET = ".parquet"


class Summaries:
    """The summaries of a run. `out` None: standard output.

    They are written as documents end. A place that cannot be written to is told once, and tried
    again at the end: by then the documents are paid, and perhaps there is room.
    """

    def __init__(self, out: Path | None) -> None:
        """Raises `click.ClickException` for an ending that is not written."""
        self._out = out
        self._written: set[str] = set()
        self._is_refused = False
        ending = _ending(out) if out else ""
        self._file = OneFile(out, ending) if out and ending else None
        if out and ending == PARQUET:
            check_parquet(out)

    def check(self) -> None:
        """Raises `click.ClickException` unless they can be written there."""
        if self._file:
            self._file.check()
        elif self._out:
            check_folder(self._out)
            mark = self._out / OUTPUT_MARK
            if mark.is_dir():
                return
            with os_errors_as_messages(self._out):
                mark.write_text("Written by completions summarize.\n", "utf-8")

    def add(self, items: list[Item], documents: Documents) -> None:
        """Those that have ended since the last time; [] is a look, too."""
        for item in items:
            if not isinstance(item.outcome, Completion):
                click.echo(named_failure(item.name, str(item.outcome or item.state)), err=True)
            elif self._out is None:
                click.echo(f"# {item.name}\n\n{item.outcome.text}\n")
        if self._is_refused:
            return
        try:
            self._put(items, documents)
            if self._file:
                self._file.write_if_due()
        except click.ClickException as error:
            self._is_refused = True
            click.echo(f"{error.message}. It is tried again at the end", err=True)

    def leave(self) -> None:
        """What has ended until now is there. Raises `click.ClickException`."""
        if self._file and not self._is_refused:
            self._file.write_if_changed()

    def finish(self, items: Iterable[Item], documents: Documents) -> None:
        """All of it is there; tell what is stale. Raises `click.ClickException`."""
        if self._out is None:
            return
        self._put(items, documents)
        stale = self._stale(self._out)
        if self._file:
            self._file.write()
        if stale:
            named = ", ".join(stale[:5]) + " ..." * (len(stale) > 5)
            one = "summaries" if self._file else "files"
            click.echo(
                f"{len(stale):,} {one} in {self._out} are not of this run: {named}", err=True
            )

    def _put(self, items: Iterable[Item], documents: Documents) -> None:
        for item in items:
            if self._file:
                read = documents.read.get(item.name)
                characters = documents.characters.get(item.name, 0)
                self._file.add(row_of(item, read, characters), item.index)
            elif self._out and isinstance(item.outcome, Completion):
                self._write_one(self._out, item.name, item.outcome.text)

    def _write_one(self, folder: Path, document: str, text: str) -> None:
        name = _file_name(document)
        if name not in self._written:
            with replaced(folder / name) as file:
                file.write(f"{text}\n".encode("utf-8", "replace"))
            self._written.add(name)

    def _stale(self, out: Path) -> list[str]:
        if self._file:
            return self._file.mark_stale()
        return sorted({path.name for path in out.glob("*.md")} - self._written)


def refuse_documents_in(out: Path | None, documents: Documents) -> None:
    """Raises `click.ClickException` if `out` is one of the documents, or a folder around one: there
    documents and summaries could not be told apart.
    """
    if out is None:
        return
    whole = out.resolve()
    for each in documents.taken:
        found = Path(each.path).absolute()
        if each.path != STDIN and (whole == found.resolve() or whole in found.parents):
            what = "is one of the documents" if whole == found.resolve() else "has documents in it"
            raise click.ClickException(f"--out {out}: {what}. Fix: name another")


def _ending(out: Path) -> str:
    """The ending of a file's name that is known; "" for a folder."""
    ending = out.suffix.lower()
    if out.is_dir() or (not ending and not out.exists()):
        return ""
    if ending not in FORMS:
        raise click.ClickException(
            f"--out {out}: {ending or 'a file without an ending'} is not written. "
            "Fix: .jsonl, .csv, .md or .parquet, or a folder, which has no ending or exists"
        )
    return ending


def _file_name(document: str) -> str:
    """Follows from the document's name, so that another run writes the same file."""
    name = re.sub(r"[^\w.-]+", "_", document).lstrip(".")
    name = name[-80:].encode()[-200:].decode(errors="ignore")
    if name != document:
        name += f"-{hashlib.sha256(document.encode()).hexdigest()[:6]}"
    return f"{name}.md"
