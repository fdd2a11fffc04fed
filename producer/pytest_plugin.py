"""The fixture `completions`, which pytest finds by itself: see docs/testing.md.

Loaded with every run of pytest, so it imports nothing before the fixture is asked for.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .testing import FakeCompletions


@pytest.fixture
def completions() -> "Iterator[FakeCompletions]":
    """Answers every job of the test in memory: no Redis, no worker."""
    from .testing import faked

    with faked() as fake:
        yield fake
