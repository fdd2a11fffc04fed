"""mypy --strict and pyright in a project that uses `producer`: what is right, what is wrong, and
the Python of README and docs.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).with_name("user_project")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
BIN = Path(sys.executable).parent
MYPY = """
[mypy]
strict = true
[mypy-producer.*,celery_completions.*]
follow_imports = silent
[mypy-celery.*,kombu.*,pyarrow.*,pypdfium2.*]
ignore_missing_imports = true
"""
PYRIGHT = {
    "include": ["user_project"],
    "extraPaths": [str(ROOT)],
    "venvPath": str(BIN.parents[1]),
    "venv": BIN.parent.name,
    "typeCheckingMode": "strict",
    "enableTypeIgnoreComments": False,
    "reportUnnecessaryTypeIgnoreComment": "error",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The user's project, with the snippets of the docs as modules of their own."""
    shutil.copytree(PROJECT, tmp_path / "user_project")
    for page in PAGES:
        for number, code in enumerate(BLOCK.findall(page.read_text())):
            if "from producer" in code:
                name = re.sub(r"\W", "_", f"{page.stem}_{number}".lower())
                (tmp_path / f"user_project/{name}.py").write_text(code)
    (tmp_path / "mypy.ini").write_text(MYPY)
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(PYRIGHT))
    return tmp_path


def test_mypy_is_content(project: Path) -> None:
    cache = f"--cache-dir={ROOT / '.mypy_cache/user_project'}"
    command = [str(BIN / "mypy"), "--config-file=mypy.ini", cache, "user_project"]
    env = {"MYPYPATH": str(ROOT)}
    found = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_pyright_is_content(project: Path) -> None:
    command = [str(BIN / "basedpyright"), "--project", "pyrightconfig.json"]
    found = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
