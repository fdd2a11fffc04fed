"""The cases that `speed.py` compares, each with a server and a worker of its own."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from time import perf_counter

import psutil
from celery.result import AsyncResult
from redis import Redis

ROOT = Path(__file__).parents[1]
HERE = str(Path(__file__).parent)
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), HERE]

import bare
from support.ledger import KEYS, until
from support.nodes import WorkerProcess

import producer
from worker.embedded import EmbeddedValkey, free_port, tethered

PROVIDER_S = 0.3
CORE = 0
"""Where the worker runs that is measured; everything else may use all."""
Cost = dict[str, float]


def text(number: int) -> list[dict[str, str]]:
    """A conversation of one question of about 1 KB, different for each number."""
    return [{"role": "user", "content": f"{number}: " + "A question about the harbour. " * 33}]


@contextmanager
def provider(folder: Path) -> Iterator[str]:
    """A process that answers every call after `PROVIDER_S`; its base URL."""
    port = free_port()
    program = str(ROOT / "tests" / "support" / "wire.py")
    command = [sys.executable, program, "--port", str(port), "--script", f"ok;delay={PROVIDER_S}"]
    with (folder / "wire.log").open("ab") as log:
        process = subprocess.Popen(tethered(command), stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


class Case:
    """A server and a worker of its own. `send(jobs)` submits, `ended()` counts what was stored."""

    def __init__(self, stack: ExitStack, folder: Path, name: str, wire: str, slots: int) -> None:
        self.name = name
        self.valkey = stack.enter_context(EmbeddedValkey(folder / name))
        self.redis = Redis.from_url(self.valkey.url(), decode_responses=True)
        env = self.settings(wire)
        self.worker = WorkerProcess(
            env, "threads", slots, name, folder / f"{name}.log", self.module()
        )
        stack.callback(self.worker.kill)
        self.worker.start()
        psutil.Process(self.worker.pid).cpu_affinity([CORE])
        self.worker.wait_ready()
        self._sent = 0
        self._first_slot = self.redis.time()[0] // 10

    def module(self) -> str:
        return "worker"

    def settings(self, wire: str) -> dict[str, str]:
        return {
            "REDIS_URL": self.valkey.url(),
            "LLM_CHAIN": "openai:gpt-4o-mini",
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": wire,
            "LLM_USER_TOKENS_PER_HOUR": "1000000000",
            "LLM_USD_PER_DAY": "100000",
        }

    def run(self, jobs: int) -> Cost:
        """Milliseconds of CPU per job, and jobs per second."""
        first, self._sent = self._sent, self._sent + jobs
        target = self.ended() + jobs
        used, served, began = self._worker_s(), self._server_s(), perf_counter()
        self.send(first, jobs)
        until(lambda: self.ended() >= target, 600)
        lasted = perf_counter() - began
        return {
            "worker": (self._worker_s() - used) / jobs * 1000,
            "server": (self._server_s() - served) / jobs * 1000,
            "per_s": jobs / lasted,
            "rss": psutil.Process(self.worker.pid).memory_info().rss / 2**20,
        }

    def send(self, first: int, jobs: int) -> None:
        self.select()
        for user in range(10):
            asked = [text(number) for number in range(first + user, first + jobs, 10)]
            producer.complete.many(asked, f"user{user}", max_tokens=50)

    def select(self) -> None:
        producer.configure(self.valkey.url())

    def ended(self) -> int:
        """Of the slots of ten seconds: they are added to the totals when they are over."""
        now = self.redis.time()[0] // 10
        with self.redis.pipeline(transaction=False) as pipe:
            for slot in range(self._first_slot, now + 1):
                pipe.hget(KEYS.slot(slot), "n|done")
            return sum(int(count or 0) for count in pipe.execute())

    def _worker_s(self) -> float:
        used = psutil.Process(self.worker.pid).cpu_times()
        return used.user + used.system

    def _server_s(self) -> float:
        used = self.redis.info("cpu")
        return used["used_cpu_user"] + used["used_cpu_sys"]


class Hits(Case):
    """Every question is the same, and its answer is in the cache."""

    def send(self, first: int, jobs: int) -> None:
        self.select()
        if not first:
            producer.complete.delay(text(0), "user0", temperature=0).value(30)
        producer.complete.many([text(0)] * jobs, "user0", temperature=0)


class Bare(Case):
    """A task of `bare.py`: the one that calls the provider."""

    task = "call"

    def module(self) -> str:
        return "bare"

    def settings(self, wire: str) -> dict[str, str]:
        return {"REDIS_URL": self.valkey.url(), "OPENAI_BASE_URL": wire, "PYTHONPATH": HERE}

    @cached_property
    def delay(self) -> Callable[..., AsyncResult]:
        return bare.app_at(self.valkey.url()).tasks[self.task].delay

    def send(self, first: int, jobs: int) -> None:
        for number in range(first, first + jobs):
            self.delay(text(number))

    def ended(self) -> int:
        """All keys of its server are results, but for a few of kombu's."""
        return int(self.redis.dbsize())


class Noop(Bare):
    task = "noop"


CASES: dict[str, type[Case]] = {"noop": Noop, "bare call": Bare, "full job": Case, "hit": Hits}
