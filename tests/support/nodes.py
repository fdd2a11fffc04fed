"""pytest-celery without Docker: its nodes are local processes.

    CeleryTestWorker -> WorkerContainer -> LocalContainer -> WorkerProcess (celery -A worker worker)
    RedisTestBroker  -> ValkeyContainer -> LocalContainer -> EmbeddedValkey (valkey-server)

pytest-celery drives a container as Docker's client would: status, reload, kill, restart, logs.
Those are here, no more. `plugin.py` puts the nodes under its leaf fixtures.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import celery
from pytest_celery import CeleryWorkerContainer, RedisContainer
from support.warm import Forked, is_plain, parent

from producer.contract.names import QUEUES
from worker.embedded import EmbeddedValkey, tethered

ROOT = Path(__file__).parents[2]
DEFAULT_ENV = {"LLM_CHAIN": "simulator:sim-small", "LLM_USD_PER_DAY": "100000"}
"""Settings of a worker unless a test has its own; REDIS_URL comes from the fixtures.

A fleet with a limit of dollars keeps their budget, which many tests hold against what was paid.
"""

FORKED = ["-m", "celery", "-A", "worker", "worker"]
"""How the command of a worker begins that `support/warm.py` may start."""


class WorkerProcess:
    """One `celery worker` and, in prefork, its children: a process group of its own.

    It dies with the thread that starts it (`tethered`; one of `support/warm.py` with the test's
    process), and its children with it: Celery ties them in the same way. `env` is all it sees of
    the environment, besides PATH, HOME and a PYTHONPATH that begins with the repository.
    """

    forked = False
    """Whether `support/warm.py` may start it, which is for tests alone: else as a user does."""

    def __init__(
        self,
        env: dict[str, str],
        pool: str = "asyncio",
        concurrency: int = 8,
        name: str = "worker",
        log_path: Path = Path("worker.log"),
        app: str = "worker",
    ) -> None:
        """`name` and `app` are Celery's -n and -A.

        Nothing runs yet; attributes may be changed before `start`.
        """
        self.name, self.log_path = name, log_path
        path = os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH")]))
        inherited = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        self.env = {**inherited, "PYTHONUNBUFFERED": "1", **env, "PYTHONPATH": path}
        self.command = [sys.executable, "-m", "celery", "-A", app, "worker", "-n", name]
        self.command += ["-P", pool, "-c", str(concurrency), "-l", "INFO"]
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """Of the main process, which is the process group too.

        None unless it lives (a frozen one does).
        """
        return self._process.pid if self._process and self._process.poll() is None else None

    def log(self) -> str:
        """Everything written so far, also before a restart."""
        return self.log_path.read_bytes().decode(errors="replace") if self.log_path.exists() else ""

    def start(self) -> None:
        """Run it; follow with `wait_ready`. A no-op when it runs. The log is appended to."""
        if self.pid:
            return
        self._log_start = len(self.log())
        folder = self.log_path.parent
        with self.log_path.open("ab") as log, open(os.devnull) as null:
            if self.may_be_forked():
                streams = [null, log, log]
                self._process = parent("celery").fork(self.command[2:], self.env, folder, streams)
            else:
                self._process = subprocess.Popen(
                    tethered(self.command),
                    cwd=folder,
                    env=self.env,
                    stdin=null,
                    stdout=log,
                    stderr=log,
                    process_group=0,
                )

    def may_be_forked(self) -> bool:
        """Not where a pool patches what has been imported."""
        patches = {"gevent", "eventlet"} & set(self.command)
        plain = self.command[1:6] == FORKED and not patches and is_plain(self.env)
        return self.forked and plain

    def wait_ready(self, timeout_s: float = 30.0) -> None:
        """Until " ready." is logged after its last start.

        AssertionError, with its log, when it is late or ends.
        """
        deadline = time.monotonic() + timeout_s
        while " ready." not in self.log()[self._log_start :]:
            assert self.pid, f"{self.name} has ended. Its log:\n{self.log()[-4000:]}"
            assert time.monotonic() < deadline, (
                f"{self.name} not ready in {timeout_s} s. Its log:\n{self.log()[-4000:]}"
            )
            time.sleep(0.05)

    def wait_for_log(self, text: str, timeout_s: float = 30.0, times: int = 1) -> None:
        """Until `text` is in the log. AssertionError, with the log, when it is not in time."""
        deadline = time.monotonic() + timeout_s
        while self.log().count(text) < times:
            assert time.monotonic() < deadline, (
                f"{self.name} did not log {text!r}. Its log:\n{self.log()[-4000:]}"
            )
            time.sleep(0.05)

    def wait(self, timeout_s: float = 30.0) -> int:
        """Its exit status, negative for a signal. `subprocess.TimeoutExpired` when it goes on."""
        assert self._process, f"{self.name} was never started"
        return self._process.wait(timeout_s)

    def terminate(self) -> None:
        """SIGTERM, a warm shutdown: running tasks are finished. Follow with `wait`."""
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """kill -9, also for its children, and wait for its end. Safe at any time."""
        self._signal_group(signal.SIGKILL)
        if self._process:
            self._process.wait()

    def freeze(self) -> None:
        """SIGSTOP for it and its children: connections stay open. Waits until it has stopped."""
        self._signal_group(signal.SIGSTOP)
        if self.pid:
            os.waitpid(self.pid, os.WUNTRACED)

    def thaw(self) -> None:
        self._signal_group(signal.SIGCONT)

    def stop(self, timeout_s: float = 30.0) -> None:
        """`terminate`, and `kill` when that takes too long."""
        self.terminate()
        self.thaw()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(timeout_s)
        self.kill()

    def _signal_group(self, number: int) -> None:
        if self._process:
            with contextlib.suppress(
                ProcessLookupError
            ):  # its children may outlive it, so not only when it lives
                os.killpg(self._process.pid, number)


class LocalContainer:
    """Shaped like `docker.models.containers.Container`, as far as pytest-celery needs it."""

    def __init__(
        self, container_id: str, process: EmbeddedValkey | WorkerProcess, log_path: Path
    ) -> None:
        self.id = self.name = container_id
        self.process, self.log_path = process, log_path
        self.attrs: dict[str, Any] = {"Config": {"Hostname": container_id, "Env": []}}
        self.attrs["NetworkSettings"] = {"Networks": {}, "Ports": {}}

    @property
    def status(self) -> str:
        """Docker's words; it is asked for live, so that `reload` has nothing to do."""
        return "running" if self.process.pid else "exited"

    def reload(self) -> None:
        pass

    def kill(self, signal_: str | int | None = None) -> None:
        """As `docker kill`: SIGKILL, to the whole container, unless another signal is named."""
        number = (
            signal.Signals[signal_]
            if isinstance(signal_, str)
            else signal.Signals(signal_ or signal.SIGKILL)
        )
        if number == signal.SIGKILL:
            self.process.kill()
        elif self.process.pid:
            os.kill(self.process.pid, number)

    def restart(self, timeout: float = 10) -> None:
        """As `docker restart`: SIGTERM, after `timeout` seconds SIGKILL, then start."""
        if self.process.pid:
            self.process.stop(timeout)
        self.process.start()

    def logs(self) -> bytes:
        return self.log_path.read_bytes() if self.log_path.exists() else b""


class _Local:
    """What both containers answer from their process instead of from Docker's network."""

    _container: LocalContainer

    def ready(self) -> bool:
        """Waits. Raises what the process's `wait_ready` raises."""
        self._container.process.wait_ready()
        return True


class ValkeyContainer(_Local, RedisContainer):
    """A Valkey on a private port: broker, result backend and ledger at once.

    It keeps its data through a kill.
    """

    def __init__(self, valkey: EmbeddedValkey) -> None:
        self.valkey = valkey
        super().__init__(
            LocalContainer(f"valkey-{valkey.port}", valkey, valkey.folder / "valkey.log")
        )

    @property
    def url(self) -> str:
        return self.valkey.url()

    @property
    def host_url(self) -> str:
        return self.valkey.url()

    @property
    def hostname(self) -> str:
        return "127.0.0.1"

    @property
    def port(self) -> int:
        return self.valkey.port


class WorkerContainer(_Local, CeleryWorkerContainer):
    """A worker process.

    Its node name is `celery_test_worker@<container id>`, as pytest-celery expects it.
    """

    def __init__(self, container_id: str, process: WorkerProcess) -> None:
        self.process = process
        super().__init__(LocalContainer(container_id, process, process.log_path))

    @classmethod
    def version(cls) -> str:
        return str(celery.__version__)

    @classmethod
    def worker_queue(cls) -> str:
        return QUEUES["interactive"]
