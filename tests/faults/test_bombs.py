"""Files that take more than a reader may have, in each format: the kernel ends the reader at its
limits, and its end is that one file's reason.
"""

import resource

import psutil
import pytest
from support.bombs import BIG, OFFICE, nested, unfolding
from support.made_documents import TEXT

from producer.documents import read
from producer.reading.program import LIMITS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

KILOBYTE = 1024
MADE = (
    {f"unfolding {name}": lambda make=make: unfolding(make(TEXT)) for name, make in OFFICE.items()}
    | {f"nested {name}": lambda make=make: nested(make(TEXT)) for name, make in OFFICE.items()}
    | BIG
)


@pytest.mark.parametrize("name", MADE)
def test_a_bomb_ends_its_reader_and_nothing_else(tmp_path, name):
    """Whether it is read after all depends on the library; no limit is passed either way."""
    path = tmp_path / name
    data = MADE[name]()
    path.write_bytes(data)
    before = psutil.Process().memory_info().rss
    document = read(str(path))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{name}: {len(data):,} bytes: {document.wrong or f'{len(document.text):,} characters'}")
    assert document.text or document.wrong
    assert used.ru_maxrss * KILOBYTE <= LIMITS.memory_bytes
    assert psutil.Process().memory_info().rss - before < 4 * len(data) + 200_000_000
    (tmp_path / "next.txt").write_text("The next one.")
    assert read(str(tmp_path / "next.txt")).text == "The next one."
