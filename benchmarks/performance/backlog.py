"""What one step of a job takes of the ledger's server while few or very many others wait.

Steps are called one by one, as a producer and a worker call them: `submit` (no slot is free),
`dispatch` (a worker starts the job, looks into the cache and takes the hold) and `settle` (with the
release of the next job). Microseconds and commands inside are the server's own (INFO commandstats).
Beside them what a plain client's SET of 1 KB and HSET take, both of new keys: what `submit` writes.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from redis import Redis
from support.ledger import KEYS, connection

from producer.contract.completions import Completion, Usage
from producer.contract.ledger.calls import Submit
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Submission
from worker.budgets.quota import Quota
from worker.cache import Cache
from worker.embedded import EmbeddedValkey
from worker.ledger.attempt import Attempt, Bill, Candidate
from worker.ledger.connection import ledger_functions
from worker.ledger.fleet_limits import FleetLimits
from worker.ledger.ledger import Ledger
from worker.ledger.running_job import RunningJob
from worker.settings import CacheSettings, CallSettings, LedgerSettings, Link, QuotaSettings

from .cases import text
from .figures import Part
from .setting import Setting

LEVELS = 1_000, 100_000, 1_000_000
USERS = 100
CHUNK = 50
"""Of one call, which releases some more at most: all slots have a job before others wait."""
LINK = Link(provider="openai", model="gpt-4o-mini", adapter="simulator")
LARGEST = Candidate(LINK, 1000, 2000, 2000)
PAID = Bill("real", 65, 280, 50)
ENTRY = "fcall"
OUTSIDE = {ENTRY, "info", "config|resetstat"}
PLAIN = "set", "hset"
TEXT = "x" * 1000
RECORD = {f"field-{n}": "x" * 16 for n in range(8)}


def measure(setting: Setting, part: Part) -> None:
    jobs = setting.size(1000, 100)
    levels = LEVELS
    if setting.quick:
        levels = 1_000, 20_000
    part.how.update(jobs=jobs, users=USERS)
    with ExitStack() as stack:
        fleets = {}
        for waiting in levels:
            setting.progress.step(f"{waiting:,} jobs are submitted")
            fleets[f"{waiting:,}"] = Fleet(stack, setting.folder / str(waiting), jobs, waiting)
        for number in range(-1, setting.rounds):  # the first one is for files and libraries
            for name, fleet in fleets.items():
                setting.step(name, number)
                seen = fleet.run()
                if number >= 0:
                    part.add(name, seen)
        part.how.update(allocator=fleet.allocator)


class Fleet:
    """A ledger with so many slots and so many waiting jobs; no process works them off."""

    def __init__(self, stack: ExitStack, folder: Path, slots: int, waiting: int) -> None:
        server = stack.enter_context(EmbeddedValkey(folder, appendonly=False))
        fleet = connection(server.url())
        stack.callback(fleet.close)
        self._watch = stack.enter_context(Redis.from_url(server.url(), decode_responses=True))
        self.allocator = self._watch.info("memory")["mem_allocator"]
        limits = FleetLimits.of(QuotaSettings())
        self._call = ledger_functions(fleet.redis, KEYS)
        self._ledger = Ledger(fleet.redis, KEYS, LedgerSettings(), "bench", limits=limits)
        self._ledger.heartbeat("bench", slots, 3600)
        self._quota = Quota(self._ledger, QuotaSettings())
        self._cache = Cache(CacheSettings(), CallSettings(), (LINK,), "fast")
        self._jobs, self._sent = slots, 0
        self._released: deque[str] = deque()
        like = self._submission().stored().item
        for _ in range(0, waiting + 2 * slots, CHUNK):
            items = tuple(replace(like, **self._next()) for _ in range(CHUNK))
            reply = self._call(Submit(self._call.library.name, items))
            self._released += [each.job_id for each in reply.publications]

    def _next(self) -> dict[str, str]:
        self._sent += 1
        return {"id": f"job-{self._sent}", "user": f"user-{self._sent % USERS}"}

    def _submission(self) -> Submission:
        named = self._next()
        request = CompletionRequest.checked(messages=text(self._sent), max_tokens=50)
        return Submission(named["id"], named["user"], request, {})

    def run(self) -> dict[str, float]:
        """Each step for all jobs of a round; as many wait afterwards as before."""
        asked = [self._submission() for _ in range(self._jobs)]
        ids = [self._released.popleft() for _ in range(self._jobs)]
        seen: dict[str, float] = {}
        with self._counted("submit", seen):
            for submission in asked:
                assert not self._ledger.submit(submission).publications
        with self._counted("dispatch", seen):
            running = [self._dispatched(job_id) for job_id in ids]
        with self._counted("settle", seen):
            for job, attempt in running:
                self._settle(job, attempt)
        seen["plain_us"] = self._plain(ids)
        return seen

    def _plain(self, names: list[str]) -> float:
        self._watch.config_resetstat()
        for name in names:
            self._watch.set(f"plain:text:{name}", TEXT)
            self._watch.hset(f"plain:record:{name}", mapping=RECORD)
        stats = self._watch.info("commandstats")
        us: int = sum(stats[f"cmdstat_{name}"]["usec"] for name in PLAIN)
        return us / len(names)

    def _dispatched(self, job_id: str) -> tuple[RunningJob, Attempt]:
        job, attempt = self._ledger.start(job_id), Attempt()
        assert isinstance(job, RunningJob)
        self._quota.take_hold(job, attempt, [LARGEST], self._cache.question(job))
        return job, attempt

    def _settle(self, job: RunningJob, attempt: Attempt) -> None:
        attempt.billed(PAID)
        answer = Completion(
            text="The harbour closes at ten. " * 9,
            finish_reason="stop",
            model=LINK.model,
            provider=LINK.provider,
            cost_usd=PAID.micro_usd / 1e6,
            attempts=1,
            latency_ms=300,
            request_id=job.id,
            usage=Usage(input=230, output=50),
        )
        ending = self._ledger.settle(job, attempt, answer)
        self._released += [each.job_id for each in ending.publications]

    @contextmanager
    def _counted(self, step: str, seen: dict[str, float]) -> Iterator[None]:
        self._watch.config_resetstat()
        yield
        stats = self._watch.info("commandstats")
        own = {name.removeprefix("cmdstat_"): figures for name, figures in stats.items()}
        inner = sum(figures["calls"] for name, figures in own.items() if name not in OUTSIDE)
        seen[f"{step}_us"] = own[ENTRY]["usec"] / self._jobs
        seen[f"{step}_commands"] = inner / self._jobs
