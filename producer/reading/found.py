"""Which files paths name: files, folders and what is below them, patterns.

Nothing is dropped silently: what is not for us is found with the reason why it is skipped, what
cannot be entered with what is wrong with it.
"""

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from .files import kind_of_file, reason_of
from .ignored import gitignore, gitignores_above, is_for_others, is_ours, patterns

if TYPE_CHECKING:
    from .ignored import Patterns

STDIN = "-"


class Found(NamedTuple):
    """A file, or what was found instead of one."""

    path: str
    folder: str = ""
    """The folder that was named and that it is in; "": it was named itself."""
    skipped: str = ""
    """Why it is not for us."""
    wrong: str = ""
    """Why it cannot be read."""


class Choice(NamedTuple):
    """Which files below folders are taken."""

    include: tuple[str, ...] = ()
    """Patterns, one of which the path below the folder or the name must match, as in .gitignore."""
    exclude: tuple[str, ...] = ()
    follow_links: bool = False
    """Whether links to other folders and files are followed."""
    output: str = ""
    """Where our own output goes: never taken."""


EVERYTHING = Choice()
"""What is a document."""


def found(paths: Iterable[str], choice: Choice = EVERYTHING) -> Iterator[Found]:
    """Every file that `paths` name, each once, in a stable order."""
    seen: set[tuple[int, int]] = set()
    for path in paths:
        for each in _named(path, choice):
            identity = _identity(each)
            if identity in seen:
                each = each._replace(skipped="the same file as one before")
            elif identity:
                seen.add(identity)
            yield each


def _identity(each: Found) -> tuple[int, int] | None:
    if each.skipped or each.wrong or each.path == STDIN:
        return None
    try:
        status = os.stat(each.path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _named(path: str, choice: Choice) -> Iterator[Found]:
    if not path:
        yield Found("", wrong="an empty path. Fix: name a file or a folder")
    elif path == STDIN:
        yield Found(path)
    elif os.path.isdir(path):
        yield from _Walk(path, choice).below()
    elif os.path.lexists(path):
        yield Found(path, wrong=kind_of_file(path))
    elif "://" in path:
        yield Found(path, wrong="URLs are not fetched. Fix: download it and pass the file")
    elif glob.has_magic(path):
        yield from _matching(path, choice)
    else:
        yield Found(path, wrong="no such file or directory")


def _matching(pattern: str, choice: Choice) -> Iterator[Found]:
    """Names that a pattern matches are as if they had been named."""
    matches = sorted(glob.glob(pattern, recursive=True), key=os.fsencode)
    for path in matches:
        if not os.path.isdir(path):
            yield Found(_not_stdin(path), wrong=kind_of_file(path))
    if not matches:
        yield Found(pattern, wrong="no such file, and no pattern that matches any")


def _not_stdin(path: str) -> str:
    """A file may be called "-", too."""
    return f"./{path}" if path == STDIN else path


class _Walk:
    """All that is below one folder."""

    def __init__(self, folder: str, choice: Choice) -> None:
        self._folder = folder
        self._choice = choice
        self._include = patterns(choice.include)
        self._exclude = patterns(choice.exclude)
        self._ignored: dict[str, Patterns] = {}
        """Folder -> what its .gitignore says."""
        self._entered: set[tuple[int, int]] = set()
        self._above = list(gitignores_above(folder))

    def below(self) -> Iterator[Found]:
        left = [self._folder]
        while left:
            folder = left.pop()
            try:
                entries = self._entries(folder)
            except (OSError, ValueError) as error:
                yield Found(folder, self._folder, wrong=f"cannot be entered ({reason_of(error)})")
                continue
            folders = []
            for path in entries:
                each = self._one(path)
                if each is None:
                    folders.append(path)
                else:
                    yield each
            left += reversed(folders)

    def _entries(self, folder: str) -> list[str]:
        """What is in it, files before folders; nothing if it was entered before."""
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in self._entered:
            return []
        self._entered.add((status.st_dev, status.st_ino))
        names = sorted(os.listdir(folder), key=os.fsencode)
        if ".gitignore" in names:
            self._ignored[folder] = gitignore(os.path.join(folder, ".gitignore"))
        if folder == self._folder and folder in (".", "./"):
            return list(map(_not_stdin, names))
        return [os.path.join(folder, name) for name in names]

    def _one(self, path: str) -> Found | None:
        """What is found at `path`; None: a folder to enter."""
        try:
            mode = os.lstat(path).st_mode
            is_link = stat.S_ISLNK(mode)
            if is_link and self._choice.follow_links:
                mode = os.stat(path).st_mode
        except (OSError, ValueError) as error:
            return Found(path, self._folder, wrong=f"cannot be read ({reason_of(error)})")
        reason = self._not_for_us(path, stat.S_ISDIR(mode))
        if reason:
            return Found(path, self._folder, skipped=reason)
        if stat.S_ISLNK(mode):
            return Found(path, self._folder, skipped=self._link(path))
        if stat.S_ISDIR(mode):
            return None
        if stat.S_ISREG(mode) and is_ours(path):
            return Found(path, self._folder, skipped="our own output")
        return Found(path, self._folder, skipped=kind_of_file(path))

    def _link(self, path: str) -> str:
        target = os.path.realpath(path)
        top = os.path.realpath(self._folder)
        if os.path.commonpath([target, top]) == top:
            return "a link to what is in the folder itself"
        return "a link that leads out of the folder. Fix: --follow-links, if that is meant"

    def _not_for_us(self, path: str, is_folder: bool) -> str:
        relative = os.path.relpath(path, self._folder)
        if reason := is_for_others(path, is_folder):
            return reason
        if self._choice.output and _is_same(path, self._choice.output):
            return "our own output"
        return self._not_chosen(path, relative + "/" * is_folder, is_folder)

    def _not_chosen(self, path: str, relative: str, is_folder: bool) -> str:
        if self._exclude.match_file(relative):
            return "excluded"
        if not is_folder and self._choice.include and not self._include.match_file(relative):
            return "not included"
        if self._is_ignored(path, is_folder):
            return "named in .gitignore"
        return ""

    def _is_ignored(self, path: str, is_folder: bool) -> bool:
        """The deepest .gitignore that says anything about it decides."""
        folder = os.path.dirname(path)
        while True:
            spec = self._ignored.get(folder or self._folder)
            if spec is not None:
                relative = os.path.relpath(path, folder or ".") + "/" * is_folder
                said = spec.check_file(relative).include
                if said is not None:
                    return said
            if folder in (self._folder, "") or folder == os.path.dirname(folder):
                break
            folder = os.path.dirname(folder)
        whole = os.path.abspath(path)
        for folder, spec in self._above:
            said = spec.check_file(os.path.relpath(whole, folder) + "/" * is_folder).include
            if said is not None:
                return said
        return False


def _is_same(path: str, other: str) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)
