"""The documents of a command: read ahead, and what was left out of them remembered."""

from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import click

from ..contract.errors import InvalidRequest
from ..contract.stored_texts import sha_of
from ..documents import Document, Found, read, shown_name

AHEAD = 4
"""Documents that are read before they are needed."""
THREADS = 2
CHANGED = "it changed after it was counted"
NAMED = 5
"""Skipped files of one kind that are named."""


class Documents:
    """All that a command takes. They may be read more than once."""

    def __init__(
        self,
        found: list[Found],
        stdin: bytes = b"",
        follow_links: bool = False,
        strict: bool = False,
        as_pictures: bool = False,
    ) -> None:
        self._skipped_before = {
            shown_name(each.path): each.skipped for each in found if each.skipped
        }
        self._taken = [each for each in found if not each.skipped]
        self.stdin = stdin
        self._follow_links = follow_links
        self._strict = strict
        self._as_pictures = as_pictures
        self.without: list[str] = []
        """The documents that were left out."""
        self.skipped: dict[str, str] = {}
        """Name -> why it is none to read, of all that were read so far."""
        self.read: dict[str, Document] = {}
        """Name -> document without its text but with `left_out`, of all that were read so far."""
        self.characters: dict[str, int] = {}
        self._texts: dict[str, str] = {}
        """Name -> hash of the text that was read first."""
        self._told: set[tuple[str, tuple[str, ...]]] = set()

    @property
    def taken(self) -> list[Found]:
        """What is read: without what is skipped for its name."""
        return self._taken

    @property
    def count(self) -> int:
        """Of documents, as far as they are known: what is attached to some is found by reading."""
        return max(len(self._taken), len(self.read))

    def leave_out(self, name: str, reason: str) -> None:
        """Skip that document from now on."""
        self._skipped_before[name] = reason
        self.without.append(name)
        self._taken = [each for each in self._taken if shown_name(each.path) != name]

    def __iter__(self) -> Iterator[Document]:
        """Those that are not skipped."""
        self.skipped = dict(self._skipped_before)
        read = (each for document in self._read_ahead() for each in document.and_within())
        for document in map(self._checked, read):
            if document.skipped:
                self.skipped[document.name] = document.skipped
                continue
            document = self._compared(document)
            self.read[document.name] = document._replace(text="", pictures=())
            self.characters[document.name] = len(document.text)
            yield document

    def _compared(self, document: Document) -> Document:
        """With a note if another text was read before, which is what was counted."""
        text = sha_of(document.text)
        if self._texts.setdefault(document.name, text) == text or document.wrong:
            return document
        return document._replace(left_out=(*document.left_out, CHANGED))

    def _read_ahead(self) -> Iterator[Document]:
        with ThreadPoolExecutor(THREADS) as pool:
            ahead: deque[Future[Document]] = deque()
            try:
                for each in self._taken:
                    ahead.append(pool.submit(self._one, each))
                    if len(ahead) > AHEAD:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _one(self, found: Found) -> Document:
        return read(found, self.stdin, self._follow_links, self._as_pictures)

    def _checked(self, document: Document) -> Document:
        """Skipped if it is left out, failed if it must be whole and is not."""
        if reason := self._skipped_before.get(document.name):
            return document._replace(skipped=reason)
        if self._strict and document.left_out:
            reason = f"{document.name}: not all of it can be read: {'; '.join(document.left_out)}"
            return document._replace(text="", wrong=InvalidRequest(reason))
        return document

    def tell_skipped(self) -> None:
        """A line for each reason, with some of the names."""
        for reason, count in Counter(self.skipped.values()).most_common():
            names = [name for name, why in self.skipped.items() if why == reason]
            named = ", ".join(names[:NAMED])
            if count > NAMED:
                named += f" and {count - NAMED:,} more"
            click.echo(f"skipped ({reason}): {named}", err=True)

    def tell_left_out(self) -> None:
        """A line for each document of which something was left out, unless that was told before."""
        for name, document in self.read.items():
            told = (name, document.left_out)
            if document.left_out and not document.wrong and told not in self._told:
                self._told.add(told)
                click.echo(f"{name}: {'; '.join(document.left_out)}", err=True)

    def show(self) -> int:
        """A line on standard output for each document: what is read of it. How many cannot be."""
        failed = 0
        for document in self:
            if document.wrong:
                failed += 1
                click.echo(f"failed   {document.wrong}")
                continue
            pages = f"{document.pages:,} pages, " if document.pages else ""
            if document.pictures:
                pages += f"{len(document.pictures):,} of them as pictures, "
            left_out = "".join(f"; {each}" for each in document.left_out)
            click.echo(
                f"read     {document.name}: {pages}{len(document.text):,} characters{left_out}"
            )
        for name, reason in self.skipped.items():
            click.echo(f"skipped  {name}: {reason}")
        return failed
