from array import array
from random import Random

import pytest

from worker.semantic.vectors import Vectors, packed


def vector(seed, size):
    rng = Random(seed)
    return packed(array("f", [rng.gauss() for _ in range(size)]).tobytes())


@pytest.mark.parametrize("size", [8, 1024])
def test_of_two_models_only_the_latest_is_compared(size):
    kept = Vectors()
    kept.add([vector(number, 16) for number in range(40)])
    kept.add([vector("new", size)])
    assert kept.nearest(vector(3, 16)) == []
    found = kept.nearest(vector("new", size))
    assert [place for place, _ in found] == [40]
    assert found[0][1] == pytest.approx(1, abs=1e-3)
    opposite = packed(array("f", [-1.0] * size).tobytes())
    assert all(place == 40 for place, _ in kept.nearest(opposite))
