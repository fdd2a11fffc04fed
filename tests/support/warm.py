"""Workers and commands that begin with everything imported.

Most of a start is imports. A parent of each kind does them once a session and forks for each start.
What is forked is a process like any other, with its own environment, folder, streams and group, a
child of the test's process, and it runs what `python -m celery` or `completions` runs. Who says
something about starts, deaths, memory or time starts anew: fault and end-to-end tests, benchmarks.

`python warm.py KIND SOCKET OWNER` is the parent. On Linux only.
"""

import atexit
import ctypes
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

ROOT = Path(__file__).parents[2]
READ_LATER = ("PATH", "HOME", "PYTHONUNBUFFERED", "REDIS_URL", "LEDGER_URL", "LLM_", "OPENAI_")
READ_LATER += ("ANTHROPIC_", "GOOGLE_", "TERM", "COLUMNS", "NO_COLOR")
"""How the names of variables begin that nothing reads while it is imported."""
IMPORTED = {
    "celery": "worker.celery celery.apps.worker celery.bin.celery httpcore2 kombu.matcher",
    "completions": (
        "celery.canvas celery.bin.worker celery_completions.worker.celery"
        " celery_completions.worker.commands.health celery_completions.worker.commands.stats"
    ),
}
"""Not the producer: at its import Celery reads settings."""
SDKS = ("openai", "anthropic", "gemini")
"""Adapters that are imported once a setting names them."""
DEATH_SIGNAL, SUBREAPER = 1, 36
"""Of prctl."""


def is_plain(env: Mapping[str, str]) -> bool:
    """Whether nothing of this environment has its effect while Python starts and imports."""
    rest = {name: text for name, text in env.items() if not name.startswith(READ_LATER)}
    return sys.platform == "linux" and rest in ({}, {"PYTHONPATH": str(ROOT)})


class Forked:
    """As much of `subprocess.Popen` as is asked of it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._end = os.pidfd_open(pid)
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        with self._lock:
            if self.returncode is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
                    os.close(self._end)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            if not select.select([self._end], [], [], left)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code


class Parent:
    """Of the processes of one kind: "celery" or "completions". It ends with the test's process."""

    def __init__(self, kind: str) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, __file__, kind, str(theirs.fileno()), str(os.getpid())]
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        null = subprocess.DEVNULL
        self._process = subprocess.Popen(
            command, env=env, pass_fds=[theirs.fileno()], stdin=null, stdout=null, process_group=0
        )
        theirs.close()
        atexit.register(self._end)

    def fork(
        self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, streams: Sequence[IO]
    ) -> Forked:
        """A child of ours, and the leader of its group. `streams`: what it reads and writes."""
        asked = json.dumps([list(arguments), dict(env), str(cwd)]).encode()
        descriptors = [each.fileno() for each in streams]
        with self._lock:
            _prctl(SUBREAPER, 1)  # so that it becomes ours
            try:
                socket.send_fds(self._socket, [asked], descriptors)
                pid = int(self._socket.recv(100))
            finally:
                _prctl(SUBREAPER, 0)
        return Forked(pid)

    def _end(self) -> None:
        self._socket.close()
        self._process.wait()


@cache
def parent(kind: str) -> Parent:
    """Started when it is first needed."""
    return Parent(kind)


def run(
    arguments: Sequence[str],
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdin: str = "",
    timeout: float = 60,
) -> "subprocess.CompletedProcess[str]":
    """`completions` to its end, as `subprocess.run` gives it with its output as text."""
    line = [str(Path(sys.executable).with_name("completions")), *arguments]
    if not is_plain(env):
        return subprocess.run(
            line, env=env, cwd=cwd, input=stdin, capture_output=True, text=True, timeout=timeout
        )
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        process = parent("completions").fork(line, env, cwd or Path.cwd(), [given, out, err])
        try:
            code = process.wait(timeout)
        finally:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
        return subprocess.CompletedProcess(line, code, _text(out), _text(err))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _prctl(what: int, value: int) -> None:
    assert ctypes.CDLL(None).prctl(what, value) == 0


def _asked(requests: socket.socket, owner: int) -> list[str]:
    """Returns in each child, with its arguments."""
    while True:
        asked, streams, _, _ = socket.recv_fds(requests, 1_000_000, 3)
        if not asked:
            os._exit(0)
        arguments, env, folder = json.loads(asked)
        _import_sdks(arguments, env)
        told, tell = os.pipe()
        between = os.fork()
        if not between:
            if os.fork():
                os._exit(0)
            break
        os.waitpid(between, 0)  # now the child is the owner's
        requests.send(os.read(told, 100))
        for each in (told, tell, *streams):
            os.close(each)
    os.setpgid(0, 0)
    os.write(tell, str(os.getpid()).encode())
    _end_with(owner)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    requests.detach()
    os.closerange(3, 100)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    return list(arguments)


def _import_sdks(arguments: list[str], env: dict[str, str]) -> None:
    if "worker" in arguments:
        named = " ".join(env.values())
        for name in SDKS:
            if name in named:
                import_module(f"worker.providers.{name}")


def _end_with(owner: int) -> None:
    while os.getppid() != owner:
        time.sleep(0.0005)
    _prctl(DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != owner:
        os._exit(1)


def main() -> None:
    kind, descriptor, owner = sys.argv[1:]
    sys.path.pop(0)
    for name in IMPORTED[kind].split():
        import_module(name)
    gc.collect()
    gc.freeze()
    sys.argv = _asked(socket.socket(fileno=int(descriptor)), int(owner))
    if kind == "celery":
        sys.path.insert(0, os.getcwd())
        sys.stdout.reconfigure(line_buffering=True)
        from celery.__main__ import main as begin
    else:
        from celery_completions.cli import main as begin
    sys.exit(begin())


if __name__ == "__main__":
    main()
