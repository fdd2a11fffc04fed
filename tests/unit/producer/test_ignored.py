"""What of folders is taken: not what is hidden, ignored, others' or ours, and all that is told."""

import os

import pytest

from producer.documents import Choice, read_all


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / "good.txt").write_text("A good text.")
    return tmp_path / "in"


def documents(*paths, **choice):
    return {each.name: each for each in read_all(paths, Choice(**choice))}


@pytest.mark.parametrize("name", ["hidden", "git", "modules", "lock", "backup", "thumbnails"])
def test_what_is_not_for_us_is_skipped_and_told(folder, name):
    path = {
        "hidden": ".x.txt",
        "git": ".git/x.txt",
        "modules": "a/node_modules/x.txt",
        "lock": "~$good.txt",
        "backup": "good.txt~",
        "thumbnails": "Thumbs.db",
    }[name]
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text("x")
    skipped = {name for name, each in documents("in").items() if each.skipped}
    assert len(skipped) == 1
    assert f"in/{path}".startswith(*skipped)


def test_patterns_and_gitignore_choose(folder):
    for name in ("a/one.md", "a/two.log", "b/three.md", "b/keep.log", "b/drafts/four.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / ".gitignore").write_text("*.log\ndrafts/\n")
    (folder / "b" / ".gitignore").write_text("!keep.log\n")

    def taken(**choice):
        return {name for name, each in documents("in", **choice).items() if each.text}

    everything = {"in/a/one.md", "in/b/three.md", "in/b/keep.log", "in/good.txt"}
    assert taken() == everything
    assert taken(include=("*.md",)) == {"in/a/one.md", "in/b/three.md"}
    assert taken(include=("b/",), exclude=("*.log",)) == {"in/b/three.md"}
    assert taken(exclude=("/a",)) == everything - {"in/a/one.md"}


def test_a_repository_says_what_is_ignored_below_it_unless_that_was_named(folder):
    (folder / ".git").mkdir()
    (folder / ".gitignore").write_text("build/\n*.log\n")
    for path in ("a/build/x.txt", "a/y.log", "a/keep.log", "a/y.txt", "build/z.txt"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("A good text.")
    (folder / "a" / ".gitignore").write_text("!keep.log\n")
    for named in ("in/a", "in/a/"):
        below = {os.path.basename(name): each for name, each in documents(named).items()}
        assert {name for name, each in below.items() if each.text} == {"y.txt", "keep.log"}
        assert below["build"].skipped == below["y.log"].skipped == "named in .gitignore"
    assert documents("in/build")["in/build/z.txt"].text


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("THUMBS.DB", "thumbnails"),
        ("Desktop.ini", "settings"),
        ("a.txt.orig", "backup"),
        ("B.OLD", "backup"),
        ("film.txt.part", "download"),
        ("__MACOSX/a.txt", "settings"),
        ("env/pyvenv.cfg", "programs"),
        ("x/site-packages/LICENSE.txt", "programs"),
        ("lost+found/a", "the file system's own"),
        ("_darcs/prefs", "versions"),
    ],
)
def test_what_systems_and_programs_leave_in_folders_is_not_for_us(folder, path, reason):
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text("A good text.")
    (skipped,) = [each.skipped for each in documents("in").values() if each.skipped]
    assert reason in skipped
