"""What of a folder is not for us: files of programs, backups, what .gitignore names, our output."""

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ..contract.errors import InvalidRequest
from ..extras import needs
from .files import content_begin

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

    Patterns = GitIgnoreSpec

IGNORED_FOLDERS = {
    "node_modules": "files of programs",
    "bower_components": "files of programs",
    "site-packages": "files of programs",
    "__pycache__": "files of programs",
    "cvs": "versions of files",
    "_darcs": "versions of files",
    "__macosx": "a folder's settings",
    "@eadir": "thumbnails",
    "$recycle.bin": "deleted files",
    "system volume information": "the file system's own",
    "lost+found": "the file system's own",
}
"""Name in small letters -> what is in it."""
ENVIRONMENT = "pyvenv.cfg"
"""In a folder of Python's: what is in it are programs."""
IGNORED_FILES = (
    ("~$*", "a lock file"),
    (".~lock.*", "a lock file"),
    ("*~", "a backup"),
    ("*.bak", "a backup"),
    ("*.old", "a backup"),
    ("*.orig", "a backup"),
    ("*.sw[op]", "a backup"),
    ("#*#", "a backup"),
    ("*.part", "a download that has not ended"),
    ("*.crdownload", "a download that has not ended"),
    ("thumbs.db", "thumbnails"),
    ("ehthumbs.db", "thumbnails"),
    ("desktop.ini", "a folder's settings"),
)
"""Patterns of names in small letters."""
OUTPUT_MARK = ".completions"
"""A file in a folder of ours: what is in it was written by us. (A folder is `completions up`'s.)"""
OUTPUT_BEGINS = {
    ".md": b'<!-- document: {"document": ',
    ".csv": b"\xef\xbb\xbfdocument,state,pages,characters,left_out,",
    ".jsonl": b'{"document": "',
}
"""How our own summaries in one file begin; then comes a "state"."""
HEAD_BYTES = 4096
MAX_GITIGNORE_BYTES = 1_000_000


def is_for_others(path: str, is_folder: bool) -> str:
    """Why a file or folder is not for us by its name, or as it is our own; "" if it may be."""
    name = os.path.basename(path)
    if name.startswith("."):
        return "hidden"
    if is_folder:
        return _folder_of_others(path, name)
    for pattern, what in IGNORED_FILES:
        if fnmatchcase(name.lower(), pattern):
            return what
    return ""


def _folder_of_others(folder: str, name: str) -> str:
    """Whose files are in it, if they are no documents; "" if they may be."""
    if os.path.lexists(os.path.join(folder, ENVIRONMENT)):
        return "files of programs"
    if os.path.isfile(os.path.join(folder, OUTPUT_MARK)):
        return "our own output"
    return IGNORED_FOLDERS.get(name.lower(), "")


def patterns(lines: Iterable[str]) -> "Patterns":
    """Of paths, as in .gitignore.

    Raises `InvalidRequest` if the library is missing: nothing that somebody ignores may be read.
    """
    try:
        from pathspec import GitIgnoreSpec
    except ImportError:
        raise InvalidRequest(needs("reading folders", "documents")) from None
    return GitIgnoreSpec.from_lines(lines)


def gitignores_above(named: str) -> Iterator[tuple[str, "Patterns"]]:
    """What the repository that a folder is in says of it, the nearest first; not what says that
    all of the folder is ignored: it was named.
    """
    whole = folder = os.path.abspath(named)
    found = []
    while not os.path.lexists(os.path.join(folder, ".git")):
        if folder == os.path.dirname(folder):
            return
        folder = os.path.dirname(folder)
        spec = gitignore(os.path.join(folder, ".gitignore"))
        if not spec.check_file(os.path.relpath(whole, folder) + "/").include:
            found.append((folder, spec))
    yield from found


def gitignore(path: str) -> "Patterns":
    """What cannot be read says nothing."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return patterns(file.read(MAX_GITIGNORE_BYTES).splitlines())
    except (OSError, ValueError):
        return patterns(())


def is_ours(path: str) -> bool:
    """Whether it holds summaries that we wrote. What cannot be read is not ours."""
    begins = OUTPUT_BEGINS.get(os.path.splitext(path)[1].lower())
    if begins is None:
        return False
    try:
        head = content_begin(path, HEAD_BYTES)
    except (OSError, ValueError):
        return False
    return head.startswith(begins) and b"state" in head
