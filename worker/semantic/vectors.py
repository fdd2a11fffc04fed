"""Vectors of one scope, packed, and the one that is most like another: by brute force."""

import base64
from collections.abc import Sequence

import numpy


def packed(data: bytes) -> str:
    """A vector of little-endian 32-bit floats as it is kept: of length one, in 16 bits, base64.

    Raises `ValueError` for one that has no direction.
    """
    vector = numpy.frombuffer(data, "<f4")
    length = float(numpy.linalg.norm(vector))
    if not numpy.isfinite(length) or length <= 0:
        raise ValueError("a vector without a direction")
    return base64.b64encode((vector / length).astype("<f2").tobytes()).decode()


class Vectors:
    """In the order in which they were added. Not safe across threads. All are of one size, that of
    the latest: those of another are of another model, and like nothing.
    """

    def __init__(self) -> None:
        self._matrix = numpy.zeros((0, 0), "f4")
        """With room behind the last one, so that adding one does not copy all."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, kept: Sequence[str]) -> None:
        """Each as `packed` gave it."""
        for each in kept:
            row = _row(each)
            self._make_room(len(row))
            self._matrix[self._count] = row
            self._count += 1

    def drop_first(self, count: int) -> None:
        if count:
            self._count -= count
            self._matrix = self._matrix[count:].copy()

    def nearest(self, kept: str) -> tuple[int, float]:
        """Place and cosine of the one that is most like it; (-1, 0) if none is of its size."""
        vector = _row(kept)
        if not self._count or self._matrix.shape[1] != len(vector):
            return -1, 0.0
        alike = self._matrix[: self._count] @ vector
        best = int(alike.argmax())
        return best, float(min(alike[best], 1.0))

    def _make_room(self, size: int) -> None:
        rows, known = self._matrix.shape
        if known == size and rows > self._count:
            return
        wider = numpy.zeros((2 * self._count + 16, size), "f4")
        if known == size:
            wider[: self._count] = self._matrix[: self._count]
        self._matrix = wider


def _row(kept: str) -> numpy.ndarray:
    return numpy.frombuffer(base64.b64decode(kept), "<f2").astype("f4")
