"""2,000 damaged documents of twelve formats: each is read or has a reason, none stops the reading.

`FUZZ_SEED=7 pytest -m faults tests/faults/test_fuzz_documents.py` repeats a run.
"""

import io
import os
import random
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from support.made_documents import MADE, TEXT
from support.made_office import book, excel, open_text, slides, word

from producer.documents import read
from producer.reading import files

COUNT = 2_000
LIMIT_S = 20.0
"""For one document, on a busy machine."""


def damaged(data, chance):
    """`data` with bytes changed, cut, doubled, moved or with what parsers trip over put in."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20, 100))):
        place = chance.randrange(len(data) + 1)
        length = chance.choice((1, 1, 4, 50, 1_000))
        kind = chance.randrange(6)
        if kind == 0 and place < len(data):
            data[place] = chance.randrange(256)
        elif kind == 1:
            del data[place : place + length]
        elif kind == 2:
            data[place:place] = data[place : place + length]
        elif kind == 3:
            data[place:place] = chance.randbytes(length)
        elif kind == 4:
            data[place:place] = chance.choice(
                (b"<<", b"[", b"{\\", b"<!--", b"%s", b"\0", b"-1", b"9" * 30, b"endobj", b"=?")
            ) * chance.choice((1, 3, 1_000))
        else:
            digits = [index for index, byte in enumerate(data) if 48 <= byte <= 57]
            if digits:
                data[chance.choice(digits)] = chance.choice(b"0123456789-")
    return bytes(data)


OFFICE = {"a.docx": word, "a.xlsx": excel, "a.pptx": slides, "a.odt": open_text, "a.epub": book}


def damaged_within(data, chance):
    """An archive of which one part is damaged, or another's; else its checksums would end it."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(file, "w") as archive:
        names = given.namelist()
        hurt, other = chance.choice(names), chance.choice(names)
        for name in names:
            part = given.read(name)
            if name == hurt:
                part = chance.choice((damaged(part, chance), given.read(other)))
            archive.writestr(name, part)
    return file.getvalue()


@pytest.mark.faults
@pytest.mark.timeout(300)
def test_no_document_harms_more_than_itself(tmp_path, monkeypatch):
    seed = int(os.environ.get("FUZZ_SEED", random.randrange(1_000_000)))
    print(f"FUZZ_SEED={seed}")
    monkeypatch.setattr(files, "WALL_S", LIMIT_S)
    chance = random.Random(seed)
    made = {name: make() for name, make in MADE.items()}
    made |= {name: make(TEXT) for name, make in OFFICE.items()}
    before = psutil.Process().memory_info().rss
    jobs = [(number, chance.choice(sorted(made)), chance.random()) for number in range(COUNT)]

    def one(job):
        number, name, part = job
        path = tmp_path / f"{number}-{name}"
        own = random.Random(part)
        archived = made[name].startswith(b"PK") and own.random() < 0.7
        path.write_bytes((damaged_within if archived else damaged)(made[name], own))
        began = time.monotonic()
        document = read(str(path))
        path.unlink()
        return name, bool(document.text), bool(document.wrong), time.monotonic() - began

    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(one, jobs))
    for name in made:
        assert any(each == name and text for each, text, _, _ in outcomes), f"{name}: none is read"
    assert all(text != wrong for _, text, wrong, _ in outcomes)
    assert max(seconds for *_, seconds in outcomes) < LIMIT_S + 5
    assert psutil.Process().memory_info().rss - before < 200_000_000
    (tmp_path / "next.txt").write_text("The next one.")
    assert read(str(tmp_path / "next.txt")).text == "The next one."
