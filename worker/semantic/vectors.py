"""Vectors of one scope, packed, and the one that is most like another: by brute force.

Long ones are compared by sketches first, random projections that keep angles within some hundredths
(Johnson and Lindenstrauss 1984), and the likeliest then in full.
"""

import base64
from collections.abc import Sequence
from functools import cache

import numpy

SKETCH = 256
"""Numbers of a sketch: 5,000 are compared in half a millisecond."""
SHORTLIST = 16
"""How many are compared in full, and looked at."""


def packed(data: bytes) -> str:
    """A vector of little-endian 32-bit floats as it is kept: of length one, in 16 bits, base64.

    Raises `ValueError` for one that has no direction.
    """
    vector = numpy.frombuffer(data, "<f4")
    length = float(numpy.linalg.norm(vector))
    if not numpy.isfinite(length) or length <= 0:
        raise ValueError("a vector without a direction")
    return base64.b64encode((vector / length).astype("<f2").tobytes()).decode()


def unpacked(kept: str) -> numpy.ndarray:
    """One that `packed` gave, as 32-bit floats."""
    return _row(kept).astype("<f4")


class Vectors:
    """In the order in which they were added. Not safe across threads. All are of one size, that of
    the latest: those of another are of another model, and like nothing.
    """

    def __init__(self) -> None:
        self._rows: list[numpy.ndarray] = []
        self._size = 0
        self._sketches = numpy.zeros((0, 0), "f4")
        """Of the rows from `_first` on, with room behind the last one."""
        self._first = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, kept: Sequence[str]) -> None:
        """Each as `packed` gave it."""
        for each in kept:
            row = _row(each)
            sketch = _sketched(row.astype("f4"))
            self._make_room(len(row), len(sketch))
            self._sketches[self._first + len(self._rows)] = sketch
            self._rows.append(row)

    def drop_first(self, count: int) -> None:
        self._rows = self._rows[count:]
        self._first += count

    def nearest(self, kept: str) -> list[tuple[int, float]]:
        """Places and cosines of the `SHORTLIST` that are most like it, the best first."""
        row = _row(kept)
        if not self._rows or len(row) != self._size:
            return []
        vector = row.astype("f4")
        known = self._sketches[self._first : self._first + len(self._rows)]
        alike = _products(known, _sketched(vector))
        likely = range(len(alike))
        if len(alike) > SHORTLIST:
            likely = numpy.argpartition(alike, -SHORTLIST)[-SHORTLIST:].tolist()
        places = [place for place in likely if len(self._rows[place]) == self._size]
        if not places:
            return []
        rows = numpy.array([self._rows[place] for place in places], "f4")
        cosines = numpy.minimum(_products(rows, vector), 1.0).tolist()
        return sorted(zip(places, cosines, strict=True), key=lambda each: -each[1])

    def _make_room(self, size: int, width: int) -> None:
        count, end = len(self._rows), self._first + len(self._rows)
        if size == self._size and end < len(self._sketches):
            return
        wider = numpy.zeros((2 * count + 16, width), "f4")
        if size == self._size:
            wider[:count] = self._sketches[self._first : end]
        self._sketches, self._first, self._size = wider, 0, size


@cache
def _projection(size: int) -> numpy.ndarray:
    return numpy.random.default_rng(size).standard_normal((SKETCH, size)).astype("f4")


def _sketched(vector: numpy.ndarray) -> numpy.ndarray:
    """A short one is its own sketch."""
    if len(vector) <= 2 * SKETCH:
        return vector
    return _products(_projection(len(vector)), vector)


def _products(rows: numpy.ndarray, vector: numpy.ndarray) -> numpy.ndarray:
    """Not by BLAS, whose threads spin for milliseconds on a busy machine (here 6 ms for 0.3)."""
    return numpy.einsum("ij,j->i", rows, vector)  # type: ignore[no-any-return]


def _row(kept: str) -> numpy.ndarray:
    return numpy.frombuffer(base64.b64decode(kept), "<f2")
