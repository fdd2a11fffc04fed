"""Child processes for what may take any time or memory: what others send is checked and read there.

A child is used again while it behaves. One that reaches its limits dies, and only the question that
it was answering has no reply. `child.py` is its inside.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from .child import LENGTH, LENGTHS, OUT_OF_MEMORY

ROOT = Path(__file__).parents[1]
"""Where this package was imported from."""
NICER = 10
"""Beside a busy process that serves others, a child gets a tenth of a processor."""
BOOT = """
import sys
from importlib.machinery import PathFinder

root, program = sys.argv[1:]


class Ours:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("producer", "worker"):
            return PathFinder.find_spec(name, [root], target)


sys.meta_path.insert(0, Ours)
with open(program, "rb") as file:
    exec(compile(file.read(), program, "exec"))
"""
"""A child runs its program with our packages, also where the path has others of their names."""
LOOK_S = 0.05
"""How often a wait for a child looks whether it is to end."""


class NoReply(Exception):
    """The child took more than it may, or died. The message says which."""


class Until:
    """By when there must be a reply. Any thread may bring that forward."""

    def __init__(self, within_s: float) -> None:
        self._at = time.monotonic() + within_s

    def at_most(self, within_s: float) -> None:
        """From now on."""
        self._at = min(self._at, time.monotonic() + within_s)

    @property
    def left_s(self) -> float:
        return self._at - time.monotonic()


class _Child:
    """One process and its socket."""

    def __init__(self, program: Path) -> None:
        ours, theirs = socket.socketpair()
        # The path is the interpreter's own, so that the child finds the same libraries; the rest
        # of the environment holds keys, which it does not need.
        env = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 -- a command of ours
                [sys.executable, "-P", "-s", "-c", BOOT, str(ROOT), str(program)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=env,
                cwd="/",
                process_group=0,
            )
        with suppress(OSError):  # it has ended already
            os.setpriority(os.PRIO_PROCESS, self.process.pid, NICER)  # from its first step on
        self.socket = ours
        self.leaving = False

    def ask(self, kind: bytes, first: bytes, second: bytes, until: Until) -> bytes:
        """The child's reply. Raises `OSError` if it dies or takes longer."""
        self.socket.settimeout(max(0.001, until.left_s))
        self.socket.sendall(LENGTHS.pack(kind, len(first), len(second)))
        self.socket.sendall(first)
        self.socket.sendall(second)
        self.leaving, length = LENGTH.unpack(self._received(LENGTH.size, until))
        return self._received(length, until)

    def kill(self) -> int:
        """How it ended: what `Popen.returncode` says."""
        self.socket.close()
        if self._ends_by_itself():
            return self.process.returncode
        self.process.kill()
        return self.process.wait()

    def _ends_by_itself(self) -> bool:
        """The kernel ends one at its limits; it closes the socket a moment before it is gone."""
        try:
            self.process.wait(0.2)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _received(self, size: int, until: Until) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = self._piece(min(size - len(data), 1 << 20), until)
            if not piece:
                raise ConnectionError("the child has ended")
            data += piece
        return bytes(data)

    def _piece(self, size: int, until: Until) -> bytes:
        while (left_s := until.left_s) > 0:
            self.socket.settimeout(min(LOOK_S, left_s))
            with suppress(TimeoutError):
                return self.socket.recv(size)
        raise TimeoutError


class Children:
    """The children of this process that run one program.

    They are started when they are needed; `close` ends them.
    """

    def __init__(self, program: Path) -> None:
        self._program = program
        self._start_anew()

    def ask(self, kind: bytes, first: bytes, second: bytes, until: Until) -> bytes:
        """A child's reply to (kind, first part, second part). Raises `NoReply`."""
        if self._pid != os.getpid():
            self._start_anew()
        used = None
        try:
            used = self._idle_child() or _Child(self._program)
            reply = used.ask(kind, first, second, until)
        except BaseException as error:
            ended = used.kill() if used else 0
            if isinstance(error, OSError | ValueError | MemoryError):
                raise NoReply(_reason(error, ended)) from None
            raise
        if used.leaving:
            used.kill()
            return reply
        with self._lock:
            self.idle.append(used)
        return reply

    def close(self) -> None:
        """End the children that this process started."""
        while self.idle and self._pid == os.getpid():
            self.idle.pop().kill()

    def _idle_child(self) -> _Child | None:
        with self._lock:
            if self.idle:
                return self.idle.pop()
        return None

    def _start_anew(self) -> None:
        """Also in a forked child, which must not share the processes of its parent."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self.idle: list[_Child] = []


def _reason(error: BaseException, ended: int) -> str:
    if isinstance(error, TimeoutError) or ended == -signal.SIGPROF:
        return "takes too long"
    if isinstance(error, MemoryError) or ended == OUT_OF_MEMORY:
        return "takes too much memory"
    return "brings down the process that works on it"
