"""The fixture `completions`, which pytest finds by itself: see docs/testing.md.

Loaded with every run of pytest, so it imports nothing before the fixture is asked for.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .private import PREFIX

if TYPE_CHECKING:
    from producer.testing import FakeCompletions

FAKED = "faked.py"
"""By which a `producer` is known as ours."""


@pytest.fixture
def completions() -> "Iterator[FakeCompletions]":
    """Answers every job of the test in memory: no Redis, no worker."""
    with import_module(f"{_spelling()}.testing").faked() as fake:
        yield fake


def _spelling() -> str:
    """The name by which the app under test has us: `producer`, unless that is another's."""
    private = f"{PREFIX}producer"
    if private in sys.modules:
        return private
    found = find_spec("producer")
    if found and found.origin and Path(found.origin).with_name("testing").joinpath(FAKED).exists():
        return "producer"
    return private
