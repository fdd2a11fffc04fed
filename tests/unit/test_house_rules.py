"""Rules that no linter knows: sizes, what an import loads, what the package carries."""

import ast
import subprocess
import sys
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for package in ("producer", "worker") for path in (ROOT / package).rglob("*.py")
)
ALL = sorted(
    path
    for top in ("producer", "worker", "tests", "examples")
    for path in (ROOT / top).rglob("*.py")
)
SDKS = {"openai", "anthropic", "google", "worker", "flower", "aiohttp"}


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def functions(path: Path) -> list[int]:
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node.end_lineno - node.lineno + 1 for node in ast.walk(tree) if isinstance(node, kinds)]


def test_files_are_short():
    assert median(map(lines, SOURCES)) <= 120
    assert {str(path.relative_to(ROOT)): lines(path) for path in ALL if lines(path) > 300} == {}


def test_functions_are_short():
    lengths = [length for path in ALL for length in functions(path)]
    assert quantiles(lengths, n=10)[-1] <= 30
    assert max(lengths) <= 60


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import producer", SDKS | {"celery", "redis", "pydantic"}),
        ("from producer import complete", SDKS),
        (
            "from producer.contract import submission, outcome, ledger",
            SDKS | {"celery", "redis"},
        ),
        ("import producer.contract", SDKS | {"celery", "redis"}),
        ("import worker.celery", {"openai", "flower", "producer.client"}),
    ],
)
def test_an_import_loads_no_more_than_it_needs(statement, unwanted):
    """In a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*sorted(set(sys.modules) & {unwanted!r}))"
    env = {"PYTHONPATH": str(ROOT)}
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env, cwd=ROOT
    )
    assert loaded.stdout.split() == []


def test_tests_are_no_packages():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_every_script_says_what_it_takes_and_keeps():
    parts = ("batches", "common", "lanes", "money", "pace")
    found = [path for package in ("producer", "worker") for path in (ROOT / package).rglob("*.lua")]
    scripts = [path for path in found if path.stem not in parts]
    assert len(scripts) > 10
    for path in scripts:
        text = path.read_text()
        assert [
            word for word in ("-- KEYS[1]", "-- ARGV", "-- reply", "-- keeps") if word not in text
        ] == [], path.name


def test_lock_files_hold_versions_and_hashes_only():
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-legacy.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert text.count("==") > 40
        assert "--hash=sha256:" in text
