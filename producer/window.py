"""What a batch that is being submitted has in the ledger, by what its items are about."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from .contract.stored_texts import LARGE_BYTES


class Part(NamedTuple):
    """A text that the ledger keeps once for all items that have it, or all else of an item."""

    key: object
    size: int
    """Bytes, about."""


class Window:
    """Items that have not ended, and how much they take together."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Part]] = {}
        self._holders: Counter[object] = Counter()
        self.size = 0
        """Bytes, about."""

    def __len__(self) -> int:
        return len(self._parts)

    def add(self, job_id: str, about: Any) -> None:
        """`about`: its messages and whatever text it is about."""
        self.drop(job_id)
        self._parts[job_id] = list(_parts(job_id, about))
        for part in self._parts[job_id]:
            if not self._holders[part.key]:
                self.size += part.size
            self._holders[part.key] += 1

    def drop(self, job_id: str) -> None:
        """It has ended. One that is not in it changes nothing."""
        for part in self._parts.pop(job_id, []):
            self._holders[part.key] -= 1
            if not self._holders[part.key]:
                del self._holders[part.key]
                self.size -= part.size


def _parts(job_id: str, about: Any) -> Iterator[Part]:
    """Each of its large texts once, and the rest."""
    small = 0
    seen = set()
    left = [about]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list | tuple):
            left += value
        elif isinstance(value, str) and len(value) >= LARGE_BYTES:
            part = Part(hash(value), len(value.encode("utf-8", "replace")))
            if part.key not in seen:
                seen.add(part.key)
                yield part
        else:
            small += len(str(value).encode("utf-8", "replace"))
    yield Part(job_id, small)
