"""Environments with nothing in them but the built wheel and what it asks for."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = str(Path(sys.executable).with_name("uv"))
LEFT_OUT = (".git", ".venv*", ".site", ".*_cache", ".demo", ".completions", "*.egg-info", "build")


class Fresh:
    """`bare`: a plain install, of the oldest versions that it takes; `full`: with the extra
    `embedded`, of our pins. Built once a run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bare, self.full = folder / "bare", folder / "full"
        folder.mkdir(exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "built").exists():
                self._build()
                (folder / "built").touch()

    @property
    def wheel(self) -> Path:
        (found,) = (self.folder / "dist").glob("*.whl")
        return found

    @property
    def sdist(self) -> Path:
        (found,) = (self.folder / "dist").glob("*.tar.gz")
        return found

    def run(self, place: Path, *command: str, within: Path, **env: str) -> str:
        """What a command of that environment prints in the folder `within`."""
        done = subprocess.run(
            self.line(place, *command),
            cwd=within,
            env=self.env(place, env),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    @staticmethod
    def line(place: Path, *command: str) -> list[str]:
        return [str(place / "bin" / command[0]), *command[1:]]

    @staticmethod
    def env(place: Path, more: dict[str, str]) -> dict[str, str]:
        """No PYTHONPATH, and nothing of the developer's."""
        path = f"{place}/bin:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(place), "PYTHONUNBUFFERED": "1"} | more

    def _build(self) -> None:
        """The wheel is built from the source distribution."""
        source = self.folder / "source"
        shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*LEFT_OUT, "__pycache__"))
        interpreter = ("--python", sys.executable)
        self._uv("build", "--no-build-isolation", *interpreter, "--out-dir", "dist", "source")
        lock = (ROOT / "requirements.lock").read_text()
        pins = re.findall(r"^([\w.-]+==[^\s\\]+(?: ;[^\\\n]+)?)", lock, re.MULTILINE)
        (self.folder / "pins.txt").write_text("\n".join(pins))
        oldest = ("--resolution", "lowest-direct")
        self._install(self.bare, str(self.wheel), *oldest)
        self._install(self.full, f"{self.wheel}[embedded]", "--constraints", "pins.txt")

    def _install(self, place: Path, what: str, *how: str) -> None:
        self._uv("venv", "--python", sys.executable, str(place))
        self._uv("pip", "install", "--python", str(place / "bin/python"), *how, what)

    def _uv(self, *arguments: str) -> None:
        command = [UV, "--quiet", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
