"""A folder with one of everything that hurts beside 30 good files: the good ones are summarised,
each of the others is one line, and the batch ends.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import made_documents, made_office

from producer.batches import recent

GOOD = 30
FAILED = {
    "aes.pdf": made_documents.pdf(password="secret"),
    "damaged.docx": b"PK\x03\x04 no archive",
    "damaged.pdf": b"%PDF-1.7\nnothing more",
    "empty.txt": b"",
    "blank.md": b" \n\t\n",
    "noise.txt": bytes(range(1, 256)) * 20,
    "notebook.ipynb": b'{"cells": [',
    "pictures.pdf": made_documents.pdf(pages=["", ""]),
}
SKIPPED = {
    ".hidden": b"Hidden words.",
    "~$note.docx": b"a lock",
    "id_rsa": b"-----BEGIN RSA PRIVATE KEY-----\n" + b"QUJDREVGR0hJSktMTU5PUFFSU1RVVlc=\n" * 9,
    "film.mp4": b"\0\0\0\x18ftypisom" + b"\0" * 99,
    "song.mp3": b"ID3" + b"\0" * 99,
    "archive.zip": made_office.zipped({"a.bin": b"x"}),
}
ODD_NAMES = (
    b"caf\xe9.txt",
    rb"caf\xe9.txt",  # shown as the one before, if that is not taken care of
    b"two\nlines.txt",
    rb"two\nlines.txt",
    b"-option.txt",
    "weiß 日本.txt".encode(),
    "𠀋".encode() * 62,  # as long as a file system takes it
)
LOCKED = ("locked.txt", "closed", "listed/in.txt")
"""No permission to read, to enter, or to enter what may be listed."""
POWERLESS = """import ctypes, os, sys
for power in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: root may read whatever the mode says
    ctypes.CDLL(None).prctl(24, power)  # PR_CAPBSET_DROP: from the next program on
program = "from producer.cli import main; main()"
os.execv(sys.executable, [sys.executable, "-c", program, *sys.argv[1:]])
"""
RUSSIAN = "Корабль вышел из гавани и вернулся домой. Это было утром, и все ждали его. "
ENCODED = {
    "koi8.txt": (RUSSIAN * 9).encode("koi8_r"),
    "utf16.txt": "A ship left the harbour in UTF-16.".encode("utf-16"),
    "surrogate.txt": "A café at the quay. ".encode() * 999 + b"\xed\xa0\xbd",
    "one_byte.txt": "A café at the quay. ".encode() * 99 + b"\xff",
}


def write(folder):
    """`GOOD` files that can be read, the odd ones among them."""
    for name, data in (FAILED | SKIPPED | ENCODED).items():
        (folder / name).write_bytes(data)
    for number, name in enumerate(ODD_NAMES):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(f"Odd name {number}.")
    (folder / "mail.eml").write_bytes(made_documents.mail())
    (folder / "word.docx").write_bytes(made_documents.docx())
    (folder / "table.csv").write_text("a,b\n1,\n")
    (folder / "locked.txt").write_text("Nobody may read this.")
    for name in ("closed", "listed"):
        (folder / name).mkdir()
        (folder / name / "in.txt").write_text("Nobody may enter here.")
    for name, mode in (("locked.txt", 0), ("closed", 0), ("listed", 0o444)):
        (folder / name).chmod(mode)
    for number in range(GOOD - len(ODD_NAMES) - len(ENCODED) - 3):
        (folder / f"good{number}.md").write_text(f"# Good {number}\n\nA text about ships.\n")
    (folder / "vanishes.md").write_text("Soon gone.")
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder)
    (folder / "gone.md").symlink_to("/nowhere")


@pytest.fixture
def folder(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    write(docs)
    yield docs
    for name in ("closed", "listed"):
        (docs / name).chmod(0o755)


@pytest.fixture
def summarize(complete, redis_url, tmp_path, start_worker):
    """Starts the command, whose console knows ASCII only."""
    start_worker()
    command = [sys.executable, "-c", POWERLESS, "summarize"]

    def start(*words, without=""):
        """`without`: a folder in which the extra cannot be imported."""
        path = [without, *sys.path]
        env = {"REDIS_URL": redis_url, "PATH": "", "PYTHONPATH": os.pathsep.join(path)}
        return subprocess.Popen(
            [*command, *words],
            cwd=tmp_path,
            env=env | {"PYTHONIOENCODING": "ascii"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return start


def asked(process, question, answer=b""):
    """What is on standard error up to the question; `answer`: to the one before."""
    process.stdin.write(answer)
    process.stdin.flush()
    seen = b""
    while question not in seen:
        piece = process.stderr.read1()
        assert piece, seen
        seen += piece
    return seen.decode()


def test_good_ones_are_summarised_and_each_other_is_one_line(summarize, folder, tmp_path):
    """Also what vanishes or changes between the question and the work; the same again, where
    some libraries are missing: 0 paid.
    """
    pytest.importorskip("kreuzberg")
    first = summarize("docs", "--user", "u1", "--out", "sums")
    assert "\ndocs/surrogate.txt: " in asked(first, b"Include it?")  # far longer than the rest
    told = asked(first, b"Go on?", b"y\n")
    assert (
        f"{GOOD + 1} documents ({len(FAILED) + len(LOCKED)} cannot be read and are reported)"
        in told
    )
    (folder / "vanishes.md").unlink()
    (folder / "good0.md").write_text("Now it says something else.")
    _, err = first.communicate(b"y\n", timeout=60)
    told = err.decode()
    assert first.returncode == 1, told
    assert "Traceback" not in told
    assert len(list((tmp_path / "sums").glob("*.md"))) == GOOD
    for name in (*FAILED, *LOCKED, "vanishes.md"):
        (line,) = [line for line in told.splitlines() if line.startswith(f"docs/{name}: ")]
        assert len(line) > len(name) + 7
    assert "\ndocs/good0.md: it changed after it was counted\n" in told
    for name in SKIPPED:
        assert f"docs/{name}" in told
    assert f"{GOOD} summaries (" in told
    assert recent(1)[0].over
    for extra in ("kreuzberg", "PIL", "pyarrow"):
        (tmp_path / "plain" / extra).mkdir(parents=True)
        (tmp_path / "plain" / extra / "__init__.py").write_text("raise ImportError")
    plain = str(tmp_path / "plain")
    again = summarize("docs", "--user", "u1", "--yes", "--out", "sums", without=plain)
    _, err = again.communicate(timeout=60)
    told = err.decode()
    assert again.returncode == 1
    assert "\ndocs/word.docx: Word needs the extra: pip install" in told
    good = GOOD - 1
    assert (
        f"{good} summaries ({good} cached), {len(FAILED) + len(LOCKED) + 1} failed, $0.000000"
        in told
    )
