"""Rules that no linter knows: sizes, what an import loads, what the package carries."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from statistics import mean, median, quantiles
from unicodedata import category

import pytest

from producer.contract.ledger.library import MODULES

ROOT = Path(__file__).parents[2]
PACKAGES = ("celery_completions", "producer", "worker")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
ALL = sorted(
    path
    for top in (*PACKAGES, "tests", "examples", "benchmarks", "deploy")
    for path in (ROOT / top).rglob("*.py")
)
SCRIPTS = sorted(
    path for package in ("producer", "worker") for path in (ROOT / package).rglob("*.lua")
)
SDKS = {"openai", "anthropic", "google", "worker", "flower", "aiohttp"}


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def functions(path: Path) -> dict[str, int]:
    """Name -> lines of each function."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)]
    return {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for node in nodes
    }


def columns(line: str) -> int:
    """Marks, such as the vowels of Hindi, take none."""
    return sum(not category(character).startswith("M") for character in line)


def code_lines(path: Path) -> list[str]:
    """With indentation; without blank lines, comments and docstrings."""
    text = path.read_text()
    strings = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]
    documentation = {
        number for node in strings for number in range(node.lineno, node.end_lineno + 1)
    }
    return [
        line
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.strip().startswith("#") and number not in documentation
    ]


def ternaries(path: Path) -> int:
    return sum(isinstance(node, ast.IfExp) for node in ast.walk(ast.parse(path.read_text())))


def longer(figures: dict[str, int], limit: int) -> dict[str, int]:
    return {name: figure for name, figure in figures.items() if figure > limit}


def test_files_are_short():
    assert median(map(lines, SOURCES)) <= 120
    assert longer({str(path.relative_to(ROOT)): lines(path) for path in ALL}, 300) == {}


def test_ledger_files_are_short():
    assert median(map(lines, SCRIPTS)) <= 60
    assert longer({path.name: lines(path) for path in SCRIPTS}, 150) == {}


def test_lines_are_short():
    """Also those that a directive ends, which ruff passes over."""
    texts = {path: path.read_text().splitlines() for path in [*ALL, *SCRIPTS]}
    found = {
        f"{path.relative_to(ROOT)}:{number}": columns(line)
        for path, text in texts.items()
        for number, line in enumerate(text, start=1)
    }
    assert longer(found, 100) == {}


def test_functions_are_short():
    found = {name: length for path in ALL for name, length in functions(path).items()}
    assert longer(found, 60) == {}
    assert quantiles(found.values(), n=10)[-1] <= 30


def test_code_has_one_thought_a_line():
    lengths = [len(line) for path in SOURCES for line in code_lines(path)]
    assert mean(lengths) <= 40


def test_conditional_expressions_are_rare():
    code = sum(len(code_lines(path)) for path in SOURCES)
    assert sum(map(ternaries, SOURCES)) <= 15 * code / 1000


def test_the_worker_is_sorted_into_packages():
    entries = [path for path in (ROOT / "worker").iterdir() if path.name != "__pycache__"]
    assert len(entries) <= 30


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import celery_completions", SDKS | {"celery", "redis", "pydantic", "producer"}),
        ("import producer", SDKS | {"celery", "redis", "pydantic"}),
        ("from producer import complete", SDKS | {"redis", "pydantic_settings"}),
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


def test_every_ledger_function_says_what_it_does():
    """And it names what it takes and gives; a module says what it is about."""
    folder = ROOT / "producer/contract/ledger"
    functions = sorted((folder / "functions").glob("*.lua"))
    modules = sorted((folder / "lua").glob("*.lua"))
    assert len(functions) > 20
    assert {path.stem for path in modules} == set(MODULES)
    for path in [*functions, *modules]:
        assert path.read_text().startswith("-- "), path.name
    for path in functions:
        text = path.read_text()
        assert re.search(r"^  takes = ", text, re.MULTILINE), path.name
        assert re.search(r"^  gives = ", text, re.MULTILINE), path.name


def test_lock_files_hold_versions_and_hashes_only():
    names = ("requirements", "requirements-dev", "requirements-legacy", "requirements-chroma")
    for name in names:
        text = (ROOT / f"{name}.lock").read_text()
        assert "://" not in text
        assert text.count("==") > 40
        assert "--hash=sha256:" in text


def test_the_documentation_says_where_to_find_things():
    """Every step of "Where to find it" leads to a file that has the word."""
    text = (ROOT / "docs/architecture.md").read_text()
    _, _, table = text.partition("## Where to find it")
    rows = re.findall(r"^\| .*\? \| `(.+?)` \| (?:`(.+?)` )?\|$", table, re.MULTILINE)
    assert len(rows) == 14
    for step, word in rows:
        if step.startswith("git grep"):
            command = ["git", "grep", "-q", *step.split()[2:]]
            assert subprocess.run(command, cwd=ROOT).returncode == 0, step
        else:
            assert word in (ROOT / step).read_text(), step
