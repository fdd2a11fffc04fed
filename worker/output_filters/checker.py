"""Checks of answers in child processes: what a request wants of an answer may take any time.

A child is used again while it behaves. One that reaches its limits dies, and only the answer it was
checking is not checked.
"""

import atexit
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import child

WALL_S = 5.0
"""For one check, waiting for a child included; `child.CPU_S` ends most of them much sooner."""
MAX_CHILDREN = 16
"""At once, in one worker process."""
MAX_OF_ONE_USER = 2
"""At once. Further answers of the same user wait for these, and no other user's do."""


class NotChecked(Exception):
    """The check took more than it may: nothing is known of the answer."""


class _Child:
    """One process and its socket."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        # The path is the interpreter's own, so that the child finds the same libraries; the rest
        # of the environment holds keys, which it does not need.
        env = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = [sys.executable, "-P", "-s", str(Path(child.__file__))]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 -- a command of ours
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=env,
                cwd="/",
                process_group=0,
            )
        self._socket = ours

    def ask(self, kind: bytes, wanted: bytes, text: bytes, until: float) -> str:
        """The child's reply. Raises `OSError` if it dies or takes longer."""
        self._wait_until(until)
        self._socket.sendall(child.LENGTHS.pack(kind, len(wanted), len(text)) + wanted + text)
        (length,) = child.LENGTH.unpack(self._received(child.LENGTH.size, until))
        return self._received(length, until).decode()

    def kill(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def _received(self, size: int, until: float) -> bytes:
        data = b""
        while len(data) < size:
            self._wait_until(until)
            piece = self._socket.recv(size - len(data))
            if not piece:
                raise ConnectionError("the child has ended")
            data += piece
        return data

    def _wait_until(self, until: float) -> None:
        self._socket.settimeout(max(0.001, until - time.monotonic()))


class Checker:
    """The children of this process. They are started when they are needed and end with it."""

    def __init__(self) -> None:
        self._pid = 0
        self._start_anew()

    def check(
        self, kind: bytes, wanted: str, text: str, within_s: float = WALL_S, user: str = ""
    ) -> str:
        """What is wrong with `text`, "" if nothing. Raises `NotChecked`."""
        if self._pid != os.getpid():
            self._start_anew()
        until = time.monotonic() + min(within_s, WALL_S)
        with self._turn(user, until):
            return self._ask(kind, wanted.encode(), text.encode("utf-8", "surrogatepass"), until)

    @contextmanager
    def _turn(self, user: str, until: float) -> Iterator[None]:
        """Inside the block this is one of the checks that run. Raises `NotChecked`."""
        running = self._running
        with self._changed:
            free = self._changed.wait_for(
                lambda: running[user] < MAX_OF_ONE_USER and running.total() < MAX_CHILDREN,
                until - time.monotonic(),
            )
            if not free:
                raise NotChecked
            running[user] += 1
        try:
            yield
        finally:
            with self._changed:
                running[user] -= 1
                if not running[user]:
                    del running[user]
                self._changed.notify_all()

    def close(self) -> None:
        """End the children that this process started."""
        while self._idle and self._pid == os.getpid():
            self._idle.pop().kill()

    def _ask(self, kind: bytes, wanted: bytes, text: bytes, until: float) -> str:
        used = None
        try:
            with self._lock:
                if self._idle:
                    used = self._idle.pop()
            used = used or _Child()
            found = used.ask(kind, wanted, text, until)
        except (OSError, ValueError, MemoryError):
            if used:
                used.kill()
            raise NotChecked from None
        with self._lock:
            self._idle.append(used)
        return found

    def _start_anew(self) -> None:
        """Also in a forked child, which must not share the processes of its parent."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._running: Counter[str] = Counter()
        """User -> checks that run."""
        self._idle: list[_Child] = []


checker = Checker()
atexit.register(checker.close)
