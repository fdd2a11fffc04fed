"""What is compared: a server and a worker of its own each, the worker pinned to one core."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from time import perf_counter

import psutil
from celery.result import AsyncResult
from redis import Redis
from support.ledger import KEYS, until
from support.nodes import WorkerProcess

import producer
from worker.embedded import EmbeddedValkey, free_port, tethered
from worker.telemetry.metrics import SLOT_S

from . import bare

HERE = Path(__file__).parent
CORE = 0
"""Where the worker runs that is measured; everything else may use all."""
PROVIDER_S = 0.3
KB = "A question about the harbour. " * 33
SETS = 20_000
Cost = dict[str, float]


def text(number: int) -> list[dict[str, str]]:
    """A conversation of one question of about 1 KB, different for each number."""
    return [{"role": "user", "content": f"{number}: {KB}"}]


class Provider:
    """`provider.py` in a process of its own."""

    def __init__(self, port: int) -> None:
        self._root = f"http://127.0.0.1:{port}"

    def url(self, delay_s: float = PROVIDER_S) -> str:
        """The base URL of a provider that answers after so long."""
        return f"{self._root}/{delay_s}/v1"

    def seen(self, delay_s: float = PROVIDER_S) -> dict[str, int]:
        """Its calls: `now` on the wire, the `most` since the last look, `answered` so far."""
        with urllib.request.urlopen(f"{self._root}/{delay_s}/seen") as reply:
            return json.load(reply)


@contextmanager
def provider(folder: Path) -> Iterator[Provider]:
    port = free_port()
    command = [sys.executable, str(HERE / "provider.py"), str(port)]
    with (folder / "provider.log").open("ab") as log:
        process = subprocess.Popen(tethered(command), stdout=log, stderr=log)
    try:
        yield Provider(port)
    finally:
        process.kill()
        process.wait()


def tree(pid: int) -> list[psutil.Process]:
    """The process and its children that live."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def cpu_s(pid: int) -> float:
    """That a process and its children have used."""
    used = [each.cpu_times() for each in tree(pid)]
    return sum(each.user + each.system for each in used)


def rss_mib(pid: int) -> float:
    return sum(each.memory_info().rss for each in tree(pid)) / 2**20


def served_s(server: Redis) -> float:
    """CPU that a server has used."""
    used = server.info("cpu")
    return used["used_cpu_user"] + used["used_cpu_sys"]


def set_ms(server: Redis) -> float:
    """CPU of a server for one SET of 1 KB by a plain client."""
    began = served_s(server)
    for number in range(SETS):
        server.set(f"bench:{number % 1000}", KB)
    used = served_s(server) - began
    server.delete(*(f"bench:{number}" for number in range(1000)))
    return used / SETS * 1000


class Case:
    """Our full job, as shipped: ledger, cache, quota, call, settle, result, records, samples."""

    pool = ""
    """"": the one that a worker has by default."""
    ready = " ready."
    """What it logs when it takes jobs."""

    def __init__(self, stack: ExitStack, folder: Path, url: str, slots: int = 200) -> None:
        """`url`: of the provider."""
        name = f"{type(self).__name__.lower()}{slots}"
        self.folder = folder / name
        self.valkey = stack.enter_context(EmbeddedValkey(self.folder))
        self.redis = Redis.from_url(self.valkey.url(), decode_responses=True)
        stack.callback(self.redis.close)
        log = self.folder / "worker.log"
        self.worker = WorkerProcess(self.settings(url), self.pool, slots, name, log, self.module())
        stack.callback(self.worker.kill)
        self.worker.command = self.command(self.worker.command, slots)
        self._sent = 0
        self._first_slot = self.redis.time()[0] // SLOT_S
        self._slots: dict[str, tuple[int, int]] = {}

    def start(self) -> None:
        """Run the worker and wait until it takes jobs."""
        before = len(self.worker.log())
        self.worker.start()
        psutil.Process(self.worker.pid).cpu_affinity([CORE])
        deadline = time.monotonic() + 60
        while self.ready not in self.worker.log()[before:]:
            late = not self.worker.pid or time.monotonic() > deadline
            assert not late, f"{self.worker.name} did not start: {self.worker.log()[-3000:]}"
            time.sleep(0.01)

    def command(self, of_celery: list[str], slots: int) -> list[str]:
        """Of the worker's process."""
        if self.pool:
            return of_celery
        at = of_celery.index("-P")
        return of_celery[:at] + of_celery[at + 2 :]

    def module(self) -> str:
        return "worker"

    def settings(self, url: str) -> dict[str, str]:
        return {
            "REDIS_URL": self.valkey.url(),
            "LLM_CHAIN": "openai:gpt-4o-mini",
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": url,
            "LLM_USER_TOKENS_PER_HOUR": "1000000000",
            "LLM_USD_PER_DAY": "100000",
        }

    def run(self, jobs: int) -> Cost:
        """`worker_ms`, `server_ms`: CPU per job; `per_s`: jobs; `rss_mib` at its end."""
        target = self.ended() + jobs
        first, self._sent = self._sent, self._sent + jobs
        used, served, began = cpu_s(self.worker.pid), served_s(self.redis), perf_counter()
        self.send(first, jobs)
        until(lambda: self.ended() >= target, 300)
        lasted = perf_counter() - began
        return {
            "worker_ms": (cpu_s(self.worker.pid) - used) / jobs * 1000,
            "server_ms": (served_s(self.redis) - served) / jobs * 1000,
            "per_s": jobs / lasted,
            "rss_mib": rss_mib(self.worker.pid),
        }

    def send(self, first: int, jobs: int) -> None:
        self.select()
        for user in range(10):
            asked = [text(number) for number in range(first + user, first + jobs, 10)]
            producer.complete.many(asked, f"user{user}", max_tokens=50)

    def select(self) -> None:
        producer.configure(self.valkey.url())

    def ended(self) -> int:
        return self._counted("done")

    def failed(self) -> int:
        return self._counted("failed")

    def _counted(self, event: str) -> int:
        """The ledger counts in slots of ten seconds, and adds one to its totals when it is over."""
        now = self.redis.time()[0] // SLOT_S
        began, before = self._slots.get(event, (self._first_slot, 0))
        with self.redis.pipeline(transaction=False) as pipe:
            for slot in range(began, now + 1):
                pipe.hget(KEYS.slot(slot), f"n|{event}")
            counts = [int(count or 0) for count in pipe.execute()]
        self._slots[event] = now, before + sum(counts[:-1])
        return before + sum(counts)


class Threads(Case):
    pool = "threads"


class Asyncio(Case):
    pool = "asyncio"


class Hits(Case):
    """Every question is the same, and its answer is in the cache."""

    def send(self, first: int, jobs: int) -> None:
        self.select()
        if not first:
            producer.complete.delay(text(0), "user0", temperature=0).value(30)
        producer.complete.many([text(0)] * jobs, "user0", temperature=0)


class Bare(Case):
    """A plain task that calls the provider with its SDK."""

    pool = "threads"
    task = "call"

    def module(self) -> str:
        return "bare"

    def settings(self, url: str) -> dict[str, str]:
        return {"REDIS_URL": self.valkey.url(), "OPENAI_BASE_URL": url, "PYTHONPATH": str(HERE)}

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
    """A task that does nothing, where Celery takes least: one at a time in the main thread."""

    pool = "solo"
    task = "noop"


class NoopThreads(Noop):
    pool = "threads"


CASES: dict[str, type[Case]] = {
    "raw Celery no-op, solo": Noop,
    "raw Celery no-op, threads": NoopThreads,
    "plain Celery + SDK, threads": Bare,
    "our full job": Case,
    "our full job, threads": Threads,
    "our full job, asyncio": Asyncio,
    "our cache hit": Hits,
}
"""By the names that they have in tables."""
