"""`.importlinter` says for every third-party library which modules import it, and no other may."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("producer", "worker")
EVERYWHERE = {"pydantic", "pydantic_core"}
"""Libraries that any module may import."""
IMPORT_NAMES = {
    "pyyaml": "yaml",
    "pillow": "PIL",
    "python-dotenv": "dotenv",
    "google-genai": "google",
    "google-generativeai": "google",
    "google-cloud-secret-manager": "google",
    "azure-keyvault-secrets": "azure",
    "azure-identity": "azure",
    "splintr-rs": "splintr",
    "chromadb-client": "chromadb",
}
"""Of distributions that are not imported under their own name."""


@cache
def contract():
    """(libraries, allowed imports as "module -> library") of the contract about libraries."""
    parser = ConfigParser()
    parser.read(ROOT / ".importlinter")
    section = parser["importlinter:contract:libraries"]
    edges = section["ignore_imports"].strip().splitlines()
    return set(section["forbidden_modules"].split()), edges


def modules():
    """Module -> path."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


@cache
def edges():
    """One pattern of all of them; `*` stands for one part of a module's name."""
    _, found = contract()
    return re.compile("|".join(re.escape(each).replace(r"\*", r"[^.]+") for each in found))


def allowed(module, library):
    """Whether an edge of the contract names both."""
    return edges().fullmatch(f"{module} -> {library}")


def imported(path):
    """Top-level names of all that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.partition(".")[0]


def test_every_dependency_is_in_the_contract():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        requirements += extra
    names = {re.match(r"[\w.-]+", requirement)[0] for requirement in requirements}
    names.discard(project["name"])  # an extra that holds others
    libraries = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in names}
    assert libraries - contract()[0] - EVERYWHERE == set()


def test_everything_that_is_imported_is_in_the_contract():
    """Also what comes with a dependency."""
    found = {name for path in modules().values() for name in imported(path)}
    own = {*sys.stdlib_module_names, *PACKAGES}
    assert found - own - contract()[0] - EVERYWHERE == set()


def test_the_linter_finds_every_import_of_a_library_in_a_module_that_may_not_import_it(tmp_path):
    """In a copy in which every module imports every library that it may not."""
    libraries, _ = contract()
    shutil.copy(ROOT / ".importlinter", tmp_path)
    planted = set()
    for module, path in modules().items():
        forbidden = sorted(library for library in libraries if not allowed(module, library))
        planted |= {(module, library) for library in forbidden}
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text("\nimport ".join([path.read_text(), *forbidden]))
    assert {("worker.loop", "openai"), ("worker.faults", "redis")} <= planted
    assert {library for _, library in planted} == libraries
    assert reported(tmp_path) == planted


def reported(folder):
    """(module, library) of each import that breaks the contract."""
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--no-cache", "--contract", "libraries"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return set(re.findall(r"^- +([\w.]+) -> (\w+) \(l\.", done.stdout, re.MULTILINE))
