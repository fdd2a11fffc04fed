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
    """In the order in which they were added. Not safe across threads."""

    def __init__(self) -> None:
        self._rows: list[numpy.ndarray] = []
        self._matrix: numpy.ndarray | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, kept: Sequence[str]) -> None:
        """Each as `packed` gave it."""
        for each in kept:
            self._rows.append(_row(each))
        self._matrix = None

    def drop_first(self, count: int) -> None:
        if count:
            self._rows = self._rows[count:]
            self._matrix = None

    def nearest(self, kept: str) -> tuple[int, float]:
        """Place and cosine of the one that is most like it; (-1, 0) if there is none of its size.

        A vector of another size is of another model, and like nothing.
        """
        vector = _row(kept)
        if self._matrix is None:
            size = len(vector)
            rows = [row if len(row) == size else numpy.zeros(size, "f4") for row in self._rows]
            self._matrix = numpy.array(rows, "f4").reshape(len(rows), size)
        if not len(self._rows) or self._matrix.shape[1] != len(vector):
            return -1, 0.0
        alike = self._matrix @ vector
        best = int(alike.argmax())
        return best, float(min(alike[best], 1.0))


def _row(kept: str) -> numpy.ndarray:
    return numpy.frombuffer(base64.b64decode(kept), "<f2").astype("f4")
