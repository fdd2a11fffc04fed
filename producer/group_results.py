"""Groups and chords of completions, as far as a producer's Celery app has to know them."""

from collections import deque
from typing import Any

_chords: deque[str] = deque(maxlen=1000)
"""Groups of the latest chords that count their parts in a backend of ours."""


def note_chord(group_id: Any) -> None:
    """It was begun by this process with our result backend."""
    _chords.append(group_id)


def is_own_chord(group_id: Any) -> bool:
    """Whether the chord of that group was begun by this process with our result backend."""
    return group_id in _chords


def mixed_group(kind: Any) -> Any:
    """A class of group results, made of an app's own, whose `get` also ends if the group has parts
    of another app: Celery's listens for the results of one app only.
    """

    class GroupResult(kind):  # type: ignore[misc]
        @property
        def supports_native_join(self) -> bool:
            own = all(each.backend is self.backend for each in self.results)
            return own and bool(super().supports_native_join)

    return GroupResult
