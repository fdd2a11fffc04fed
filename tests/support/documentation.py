"""The code blocks of README and docs, and running one."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"(?P<marks>(?:<!-- .*? -->\n)*)```(?P<language>\w*)\n(?P<code>.*?)```", re.DOTALL
)


class Block(NamedTuple):
    page: str
    language: str
    code: str
    run: str
    prints: str


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        for match in BLOCK.finditer(page.read_text()):
            if match["language"]:
                mark = r"<!-- (not run|run|prints|file): (.*?) -->"
                marks = dict(re.findall(mark, match["marks"]))
                assert {"run", "not run", "file"} & marks.keys(), (
                    f"{page.name}: a block that is never run:\n{match['code']}"
                )
                found.append(
                    Block(
                        page.name,
                        match["language"],
                        match["code"],
                        marks.get("run", ""),
                        marks.get("prints", ""),
                    )
                )
    return found


def run(block: Block, folder: Path, env: dict[str, str]) -> str:
    interpreter = [sys.executable] if block.language == "python" else ["bash", "-euo", "pipefail"]
    command = [*interpreter, "-c", block.code]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(folder), **env}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert block.prints in done.stdout
    return done.stdout
