"""Documents in files: found, read, and turned into text.

Text, Markdown, HTML and PDF; with the extra `documents` also DOCX and more.
"""

from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from zipfile import is_zipfile

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from .contract.errors import InvalidRequest

PAGES = (".html", ".htm", ".xhtml")
ZIPPED = (".docx", ".pptx", ".xlsx", ".epub")
OTHERS = (*ZIPPED, ".ipynb", ".msg")
"""What the extra `documents` (markitdown) reads."""

MAX_BYTES = 50_000_000
MAX_CHARACTERS = 20_000_000
STDIN = "-"


class Document(NamedTuple):
    """A named text."""

    name: str
    text: str
    wrong: InvalidRequest | None = None
    """Why it has no text."""


def found(paths: Iterable[str]) -> Iterator[str]:
    """Every file that `paths` name.

    A path is a file, a directory (all files below it, except hidden ones), a glob pattern, or "-"
    for standard input. Raises `InvalidRequest` for a path that names nothing, and for a URL.
    """
    for path in paths:
        if "://" in path:
            raise InvalidRequest(
                f"{path}: URLs are not fetched. Fix: download it and pass the file"
            )
        if path == STDIN or Path(path).is_file():
            yield path
        elif Path(path).is_dir():
            folder = Path(path)
            yield from sorted(str(each) for each in folder.rglob("*") if _shown(each, folder))
        else:
            yield from _matching(path)


def _matching(pattern: str) -> list[str]:
    """The files that match; an absolute pattern matches none."""
    matches: list[str] = []
    if not Path(pattern).is_absolute():
        matches = sorted(str(each) for each in Path().glob(pattern) if each.is_file())
    if not matches:
        raise InvalidRequest(
            f"{pattern}: no such file or directory, and no pattern that matches any"
        )
    return matches


def _shown(path: Path, folder: Path) -> bool:
    """Whether it is a file that no name below `folder` hides."""
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.is_file() and not hidden


def read(path: str, stdin: str = "") -> Document:
    """The document in one file. `wrong` says why it cannot be read; nothing is raised for that."""
    try:
        if path == STDIN:
            return Document("stdin", _checked(stdin))
        file = Path(path)
        if file.stat().st_size > MAX_BYTES:
            raise InvalidRequest(f"larger than {MAX_BYTES:,} bytes. Fix: split it")
        return Document(path, _checked(_text(file)))
    except InvalidRequest as error:
        return Document(path, "", InvalidRequest(f"{path}: {error}"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Document(path, "", InvalidRequest(f"{path}: cannot be read ({reason})"))


def _text(file: Path) -> str:
    kind = file.suffix.lower()
    if kind == ".pdf":
        return _pdf(file)
    if kind in OTHERS:
        return _converted(file)
    text = _decoded(file.read_bytes())
    if kind in PAGES:
        return _html_text(text)
    return text


def _decoded(data: bytes) -> str:
    """UTF-8, UTF-16 with its mark, else Windows-1252. What holds a NUL is no text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if b"\0" in data[:65536]:
        raise InvalidRequest("no text but binary data. Fix: leave it out, or convert it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _pdf(file: Path) -> str:
    try:
        reader = PdfReader(file)
        if reader.is_encrypted and not reader.decrypt(""):
            raise InvalidRequest("encrypted. Fix: save it without a password")
        pages = [page.extract_text() for page in reader.pages]
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidRequest(f"no readable PDF ({type(error).__name__})") from None
    if pages and not any(page.strip() for page in pages):
        raise InvalidRequest("its pages hold no text, only pictures. Fix: run OCR over it first")
    return "\n\n".join(pages)


def _converted(file: Path) -> str:
    if file.suffix.lower() in ZIPPED and not is_zipfile(file):
        raise InvalidRequest("damaged: it is not the archive that such a file is")
    try:
        from markitdown import MarkItDown, MarkItDownException
    except ImportError:
        raise InvalidRequest(
            "needs the extra: pip install 'celery-completions[documents]'"
        ) from None
    try:
        return str(MarkItDown().convert_local(file).text_content)
    except MarkItDownException as error:
        raise InvalidRequest(f"cannot be converted ({type(error).__name__})") from None


class _Visible(HTMLParser):
    """Collects what a reader of the page sees."""

    HIDDEN = ("script", "style", "template", "noscript", "head")
    LINES = ("br", "li", "tr")
    HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
    BLOCKS = ("p", "div", "section", "article", "blockquote", "pre", *HEADINGS)

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in self.HIDDEN
        if tag in self.LINES:
            self.texts.append("\n")
        elif tag in self.BLOCKS:
            self.texts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in self.HIDDEN and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._hidden:
            self.texts.append(" ".join(data.split()) + " ")


def _html_text(page: str) -> str:
    parser = _Visible()
    parser.feed(page)
    parser.close()
    return "".join(parser.texts).strip()


def _checked(text: str) -> str:
    if not text.strip():
        raise InvalidRequest("empty")
    if len(text) > MAX_CHARACTERS:
        raise InvalidRequest(f"{len(text):,} characters, at most {MAX_CHARACTERS:,}. Fix: split it")
    return text
