"""Files that lead astray, explode, or hold what goes to nobody: each is told, none does harm."""

import os
import socket
import stat
import time

import psutil
import pytest
from support.bombs import BOMBS, OFFICE, docx_bomb, with_entity
from support.made_documents import TEXT

from producer import children
from producer.documents import Choice, found, read, read_all
from producer.reading import files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_text("What is outside goes to nobody.")
    (tmp_path / "in" / "good.txt").write_text("A good text.")
    return tmp_path / "in"


def outcome(path, data):
    """What became of a file with that content: its text, or why it has none."""
    path.write_bytes(data)
    document = read(str(path))
    return str(document.wrong or document.text)


def documents(*paths, **choice):
    return {each.name: each for each in read_all(paths, Choice(**choice))}


def test_links_lead_nowhere_unless_that_is_wanted(folder):
    (folder / "file").symlink_to("../secret.txt")
    (folder / "out").symlink_to("..")
    (folder / "good too").symlink_to("good.txt")
    (folder / "nothing").symlink_to("/nonexistent")
    (folder / "self").symlink_to("self")
    closed = documents("in")
    assert [name for name, each in closed.items() if each.text] == ["in/good.txt"]
    assert {name for name, each in closed.items() if "leads out" in each.skipped} == {
        "in/file",
        "in/out",
        "in/nothing",
    }
    opened = documents("in", follow_links=True)
    assert opened["in/file"].text == "What is outside goes to nobody."
    assert {name for name, each in opened.items() if each.wrong and not each.skipped} == {
        "in/nothing",
        "in/self",
    }


def test_a_loop_of_folders_ends(folder):
    (folder / "a").mkdir()
    (folder / "a" / "b").symlink_to("..")
    (folder / "a" / "c").symlink_to(".")
    found_ = documents("in", follow_links=True)
    assert sum(bool(each.text) for each in found_.values()) == 1


def test_what_becomes_a_link_after_it_was_found_is_not_followed(folder):
    """Neither a file nor a folder on the way to it."""
    (folder / "sub").mkdir()
    (folder / "sub" / "x.txt").write_text("mine")
    both = [each for each in found(["in"]) if not each.skipped]
    (folder / "good.txt").unlink()
    (folder / "good.txt").symlink_to("../secret.txt")
    (folder / "sub" / "x.txt").unlink()
    (folder / "sub").rmdir()
    (folder.parent / "x.txt").write_text("What is outside goes to nobody.")
    (folder / "sub").symlink_to("..")
    for each in both:
        assert "cannot be read" in str(read(each).wrong)


def test_what_is_no_regular_file_is_not_opened(folder):
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
        skipped = documents("in", "/dev/zero")
    assert skipped["in/fifo"].skipped == "a FIFO, no regular file"
    assert skipped["in/socket"].skipped == "a socket, no regular file"
    assert "a device, no regular file" in str(skipped["/dev/zero"].wrong)
    assert stat.S_ISFIFO((folder / "fifo").stat().st_mode)


def test_a_fifo_in_the_place_of_a_file_is_not_waited_for(folder):
    (each,) = (each for each in found(["in"]) if not each.skipped)
    (folder / "good.txt").unlink()
    os.mkfifo(folder / "good.txt")
    assert "a FIFO" in str(read(each).wrong)


def test_the_same_file_named_twice_is_one_document(folder):
    os.link(folder / "good.txt", folder / "linked.txt")
    names = [each.name for each in read_all(["in", "in/good.txt", "./in"]) if each.text]
    assert names == ["in/good.txt"]


def test_any_name_of_a_file_works_and_is_shown_safely(folder):
    names = [b"caf\xe9.txt", b"new\nline.txt", b"\x1b[2J.txt", "\u202etxt.exe".encode(), b"-"]
    for name in (*names, rb"caf\xe9.txt", rb"new\nline.txt"):
        (folder / os.fsdecode(name)).write_bytes(b"text")
    shown = [each.name for each in documents("in").values() if each.text]
    assert sorted(shown) == sorted(
        [
            "in/-",
            "in/\\x1b[2J.txt",
            "in/caf\\xe9.txt",
            "in/caf\\\\xe9.txt",
            "in/good.txt",
            "in/new\\nline.txt",
            "in/new\\\\nline.txt",
            "in/\\u202etxt.exe",
        ]
    )


def test_a_folder_that_cannot_be_entered_is_a_failure(folder, monkeypatch):
    """Root may enter any folder: here the system is made to refuse."""
    (folder / "closed").mkdir()
    listdir = os.listdir

    def refusing(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refusing)
    wrong = documents("in")["in/closed"]
    assert str(wrong.wrong) == "in/closed: cannot be entered (Permission denied)"
    assert not wrong.skipped


def test_folders_within_folders_without_end_are_told(folder):
    deep = folder
    for _ in range(60):
        deep = deep / ("d" * 60)
        deep.mkdir()
    descriptor = os.open(deep, os.O_RDONLY)
    for _ in range(30):
        os.mkdir("e" * 60, dir_fd=descriptor)
        deeper = os.open("e" * 60, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = deeper
    os.close(descriptor)
    wrong = [str(each.wrong) for each in documents("in").values() if each.wrong]
    assert len(wrong) == 1
    assert "File name too long" in wrong[0]


@pytest.mark.parametrize("name", [*BOMBS, "bomb.docx"])
def test_what_explodes_ends_within_its_limits(tmp_path, name, monkeypatch):
    """Beside it, this process grows by no more than it holds of the file, and goes on."""
    data = docx_bomb(tmp_path) if name == "bomb.docx" else BOMBS[name]()
    before = psutil.Process().memory_info().rss
    outcome(tmp_path / name, data)
    grown = psutil.Process().memory_info().rss - before
    assert grown < 4 * len(data) + 200_000_000
    assert outcome(tmp_path / "next.txt", b"The next one.") == "The next one."


ENTITIES = {
    "of another file": '<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>',
    "of an address": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x">%p;]>',
    "that unfolds": "<!DOCTYPE x [<!ENTITY a0 'lol'>{more}<!ENTITY e '&a20;'>]>",
}


@pytest.mark.parametrize("kind", ENTITIES)
@pytest.mark.parametrize("name", [*OFFICE, "x.xml", "x.html"])
def test_no_entity_brings_in_anything(folder, name, kind):
    """Neither another file, nor what an address answers, nor itself many times."""
    secret = folder.parent / "secret.txt"
    more = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 9}'>" for n in range(1, 21))
    entity = ENTITIES[kind].replace("{secret}", str(secret)).replace("{more}", more).encode()
    path = folder / name
    if name in OFFICE:
        path.write_bytes(with_entity(OFFICE[name](TEXT), entity))
    else:
        path.write_bytes(entity + b"<p>Some words of a page: &e;</p>")
    document = read(str(path))
    assert document.text or document.wrong
    assert "goes to nobody" not in document.text
    assert len(document.text) < 10_000


def test_a_reader_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    """By the clock, too: whatever it waits for."""
    outcome(tmp_path / "a.txt", b"one")
    (child,) = files.readers.idle
    psutil.Process(child.process.pid).suspend()
    monkeypatch.setattr(files, "WALL_S", 0.2)
    began = time.monotonic()
    assert "takes too long" in outcome(tmp_path / "a.txt", b"two")
    assert time.monotonic() - began < 30
    monkeypatch.undo()
    assert outcome(tmp_path / "a.txt", b"three") == "three"
    assert not psutil.pid_exists(child.process.pid)


def test_one_child_reads_many_files(tmp_path):
    outcome(tmp_path / "a.txt", b"one")
    before = [each.process.pid for each in files.readers.idle]
    for number in range(20):
        outcome(tmp_path / "a.txt", b"text %d" % number)
    assert [each.process.pid for each in files.readers.idle] == before


@pytest.mark.parametrize("error", [RuntimeError, RecursionError, KeyError, MemoryError])
def test_any_error_is_the_file_s_reason(tmp_path, monkeypatch, error):
    def fails(*_):
        raise error("of no kind that was expected")

    monkeypatch.setattr(children.Children, "ask", fails)
    assert outcome(tmp_path / "a.txt", b"one").startswith(f"{tmp_path}/a.txt: cannot be read")


KEYS = {
    "id_rsa": b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + b"b3BlbnNzaC1rZXktdjEAAAAA" * 3,
    "key.txt": b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n" + b"MIIE" * 16,
    "gpg.asc": b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBF" + b"abcd" * 10,
    "bundle.pem": b"-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n"
    b"-----BEGIN PRIVATE KEY-----\n" + b"MIIE" * 16,
    "account.json": b'{"private_key": "-----BEGIN PRIVATE KEY-----\\n' + b"MIIE" * 16 + b'"}',
    "x.ppk": b"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n",
    "x.kdbx": b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5",
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_go_to_nobody(tmp_path, name):
    assert "key" in outcome(tmp_path / name, KEYS[name])


def test_a_text_about_keys_is_read(tmp_path):
    text = "A key file begins with -----BEGIN PRIVATE KEY----- and goes on in base64."
    assert outcome(tmp_path / "a.txt", text.encode()) == text


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
        (b"GIF89a" + b"x" * 50, "a picture (GIF)"),
        (b"ID3\x03" + b"x" * 50, "sound (MP3)"),
        (b"\x1f\x8b\x08", "an archive (gzip)"),
        (b"\x7fELF\x02", "a program"),
        (b"SQLite format 3\0", "a database (SQLite)"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "a picture, film or sound (RIFF)"),
    ],
)
def test_what_is_no_document_is_known_by_what_it_holds(folder, data, kind):
    """Whatever it is called; in a folder it is skipped, named itself it is an error."""
    (folder / "x.txt").write_bytes(data)
    assert documents("in")["in/x.txt"].skipped == f"no document but {kind}"
    named = read("in/x.txt")
    assert (named.skipped, str(named.wrong)) == ("", f"in/x.txt: no document but {kind}")
