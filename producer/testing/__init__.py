"""Answers in memory, for tests of an app that uses `producer`: no Redis, no worker, no provider.

With pytest the fixture `completions` is there once the package is installed (docs/testing.md);
elsewhere `with faked() as completions:`.
"""

from .asked import Asked
from .fake import FakeCompletions
from .faked import faked

__all__ = ["Asked", "FakeCompletions", "faked"]
