"""Loads our packages as `celery_completions.producer` and `celery_completions.worker`.

They are read where they are installed: beside this package, whatever else is on the path. Their
modules say `from producer.contract import ...` among themselves; under these names such an import
means the private one. An import statement calls the `__import__` of its module's builtins, so each
of these modules gets builtins whose `__import__` knows that. Files and compiled files are shared
with the plain names.

In other processes the names are found again, so that pickled objects and children that are spawned
need nothing: importing `celery_completions` installs the finder.
"""

import builtins
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

OURS = ("producer", "worker")
PREFIX = f"{__package__}."
BESIDE = str(Path(__file__).parents[1])


def install() -> None:
    """Before the finders that know the path, once per process."""
    if not any(isinstance(each, Finder) for each in sys.meta_path):
        sys.meta_path.insert(0, Finder())


class Finder(MetaPathFinder):
    """Of `celery_completions.producer`, `celery_completions.worker` and all that is in them."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith(PREFIX):
            return None
        package, _, inside = name.removeprefix(PREFIX).partition(".")
        if package not in OURS:
            return None
        found = PathFinder.find_spec(name, path if inside else [BESIDE], target)
        if found and isinstance(found.loader, SourceFileLoader):
            found.loader = _Loader(name, found.loader.path)
        return found


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = _BUILTINS
        super().exec_module(module)


def _import(
    name: str,
    globals_: Mapping[str, object] | None = None,
    locals_: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> Any:
    """What an import statement of ours means. `level`: how many dots it begins with."""
    package = name.partition(".")[0]
    if level or package not in OURS:
        return __import__(name, globals_, locals_, fromlist or (), level)
    if fromlist:
        return __import__(PREFIX + name, globals_, locals_, fromlist, 0)
    import_module(PREFIX + name)
    return sys.modules[PREFIX + package]


_BUILTINS = {**vars(builtins), "__import__": _import}
