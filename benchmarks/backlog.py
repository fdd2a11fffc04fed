"""Whether a job costs the ledger more the more jobs wait: 1,000 waiting against as many as asked.

    python benchmarks/backlog.py [--sizes 1000 10000 100000 1000000] [--jobs 500] [--rounds 3]

Each size has a server of its own, whose lines (of 100 users) are filled with jobs of a small
prompt. Then jobs are submitted, and as many are released, started, reserved and settled. Commands
are from INFO commandstats, times are the CPU of the server's main thread, the least of the rounds.
"""

import argparse
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from redis import Redis

from producer.contract.errors import JobError
from producer.contract.ledger.calls import Submit
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Submission
from worker.budgets.quota import Quota
from worker.embedded import EmbeddedValkey
from worker.ledger.attempt import NOT_CACHED, Attempt, Bill, Candidate
from worker.ledger.connection import Keys, connect, ledger_functions
from worker.ledger.fleet_limits import FleetLimits
from worker.ledger.ledger import Ledger
from worker.settings import LedgerSettings, Link, QuotaSettings

USERS = 100
AT_ONCE = 500
SLOTS = 16
LINK = Link(provider="openai", model="gpt-4o-mini", adapter="simulator")
STEPS = ("submit", "dispatch", "settle")
Cost = tuple[float, float]
"""Commands, and microseconds of the server, of one job."""


REQUEST = CompletionRequest.checked(messages=[{"role": "user", "content": "What is the time?"}])


class Backlog:
    """A ledger with so many jobs in line."""

    def __init__(self, url: str, size: int) -> None:
        self._stats = Redis.from_url(url, decode_responses=True)
        redis, keys = connect(url), Keys()
        self._call = ledger_functions(redis, keys)
        settings = QuotaSettings()
        self._ledger = Ledger(
            redis, keys, LedgerSettings(), "bench", limits=FleetLimits.of(settings)
        )
        self._quota = Quota(self._ledger, settings)
        self._submitted = 0
        self._released: deque[str] = deque()
        self._call.load()
        self._empty = self.bytes()
        template = self._next(1)[0].stored().item
        while self._submitted < size:
            numbers = range(self._submitted, min(self._submitted + AT_ONCE, size))
            items = [replace(template, id=f"job-{n}", user=f"user-{n % USERS}") for n in numbers]
            self._call(Submit(self._call.library.name, tuple(items)))
            self._submitted = numbers.stop
        self.per_job = (self.bytes() - self._empty) / size
        self._ledger.heartbeat("bench", SLOTS, 3600)
        _, publications = self._ledger.sweep(200, {"interactive": False, "batch": False})
        self._released += [each.job_id for each in publications]

    def bytes(self) -> int:
        return int(self._stats.info("memory")["used_memory"])

    def _next(self, count: int) -> list[Submission]:
        numbers = range(self._submitted, self._submitted + count)
        self._submitted += count
        return [
            Submission(
                f"job-{number}",
                f"user-{number % USERS}",
                REQUEST,
                {},
            )
            for number in numbers
        ]

    def round(self, jobs: int) -> dict[str, Cost]:
        """Submit so many and end as many: what each step cost."""
        new = self._next(jobs)
        ids: list[str] = []
        running = []
        found = {}

        def submitted() -> None:
            for each in new:
                self._ledger.submit(each)

        def dispatched() -> None:
            """What a start and a reservation take, of the jobs that are released."""
            ids.extend(self._released.popleft() for _ in range(len(self._released)))
            for job_id in ids:
                job, attempt = self._ledger.start(job_id), Attempt()
                self._quota.take_hold(job, attempt, [Candidate(LINK, 50, 10, 100)], NOT_CACHED)
                attempt.billed(Bill("real", 10, 100))
                running.append((job, attempt))

        def settled() -> None:
            """With the release of the next one."""
            for job, attempt in running:
                ending = self._ledger.settle(job, attempt, JobError("done"))
                self._released.extend(each.job_id for each in ending.publications)

        found["submit"] = self._cost(submitted, jobs)
        parts: dict[str, list[Cost]] = {"dispatch": [], "settle": []}
        done = 0
        while done < jobs:
            ids.clear()
            running.clear()
            count = len(self._released)
            parts["dispatch"].append(self._cost(dispatched, count))
            parts["settle"].append(self._cost(settled, count))
            done += count
        for name, costs in parts.items():
            found[name] = (
                sum(each[0] for each in costs) / len(costs),
                sum(each[1] for each in costs) / len(costs),
            )
        return found

    def _cost(self, step: Callable[[], None], jobs: int) -> Cost:
        self._stats.config_resetstat()
        began = self._cpu_s()
        step()
        used = self._cpu_s() - began
        stats = self._stats.info("commandstats")
        foreign = {"cmdstat_config|resetstat", "cmdstat_info"}
        commands = sum(each["calls"] for name, each in stats.items() if name not in foreign)
        return commands / jobs, used / jobs * 1e6

    def _cpu_s(self) -> float:
        used = self._stats.info("cpu")
        return float(used["used_cpu_user_main_thread"] + used["used_cpu_sys_main_thread"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print("waiting    " + "".join(f"{name:>25}" for name in STEPS) + "    bytes a job")
    first: dict[str, Cost] = {}
    for size in given.sizes:
        began = perf_counter()
        with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder)) as server:
            backlog = Backlog(server.url(), size)
            filled = perf_counter() - began
            rounds = [backlog.round(given.jobs) for _ in range(given.rounds)]
        row = f"{size:<11,}"
        for name in STEPS:
            commands = min(each[name][0] for each in rounds)
            us = min(each[name][1] for each in rounds)
            first.setdefault(name, (commands, us))
            ratios = f"x{commands / first[name][0]:.2f} x{us / first[name][1]:.2f}"
            row += f"{commands:>7.1f} {us:>5.0f}us {ratios:>11}"
        print(f"{row}    {backlog.per_job:>8.0f}   (filled in {filled:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
