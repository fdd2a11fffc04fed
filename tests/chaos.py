"""`make chaos`: many jobs, workers killed and frozen at random, a server that restarts.

    python tests/chaos.py [--jobs 2000] [--pool asyncio|threads|prefork] [--seed N] [--minutes 8]

It ends with exit code 0 if no job was lost, each has one outcome, no call was paid twice without
being reported as unknown, and spent and possibly billed agree with the provider's side of the wire.
The seed is printed first; the same seed gives the same events in the same order.

An attempt is unknown if the ledger has it open and no worker settles it. That can come of a worker
that dies or is frozen, and of a server that restarts: with `appendfsync everysec` it may have lost
its last second (writes wait for an fsync that is under way), and an attempt that was settled in it
is open again. So there are at most as many unknown attempts as were open at these events.
"""

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from decimal import ROUND_UP, Decimal
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from support.ledger import KEYS, LedgerProbe, ask
from support.nodes import WorkerProcess
from support.wire import WireServer, mixed

import producer
from producer.contract.errors import JobError
from worker.embedded import EmbeddedValkey

WORKERS = 3
CONCURRENCY = {"asyncio": 8, "threads": 8, "prefork": 4}
WEIGHTS = {"ok;delay=0.05": 70, "ok;delay=0.3": 20, "429;ra=0.1": 4, "500": 4, "truncated": 2}
LIMIT_MICRO = 200_000
"""The users' budget for the day; enough for all, and watched."""


class Fleet:
    """Three workers around one server, and what chance does to them."""

    def __init__(
        self,
        folder: Path,
        pool: str,
        valkey: EmbeddedValkey,
        wire: WireServer,
        chance: random.Random,
    ) -> None:
        self.valkey = valkey
        self.wire = wire
        self.chance = chance
        self.open_at_deaths = 0
        self.open_at_restarts = 0
        self.events: Counter[str] = Counter()
        env = {
            "REDIS_URL": valkey.url(),
            "LLM_CHAIN": "openai:gpt-4o-mini",
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": wire.base_url,
            "LEDGER_LEASE_SECONDS": "3",
            "LEDGER_MAX_DELIVERIES": "50",
            "LLM_BACKOFF_SECONDS": "0.05",
            "LLM_MAX_ATTEMPTS": "50",
            "LLM_USER_TOKENS_PER_HOUR": "1000000000",
            "LLM_USD_PER_DAY": str(LIMIT_MICRO / 1e6),
            "LLM_RESULT_EXPIRES_SECONDS": "3600",
        }
        self.workers = [
            WorkerProcess(env, pool, CONCURRENCY[pool], f"w{n}", folder / f"w{n}.log")
            for n in range(WORKERS)
        ]

    def start(self) -> None:
        for worker in self.workers:
            worker.start()
        for worker in self.workers:
            worker.wait_ready(60)

    def stop(self) -> None:
        for worker in self.workers:
            worker.kill()

    def strike(self) -> None:
        """Kill and restart a worker, freeze one beyond its lease, or restart the server."""
        event = self.chance.choices(["kill", "freeze", "server"], [5, 3, 2])[0]
        worker = self.chance.choice(self.workers)
        self.events[event] += 1
        if event == "server":
            self._restart_server()
            return
        worker.freeze()
        self.open_at_deaths += self._open_attempts_of(worker)
        if event == "freeze":
            time.sleep(4)  # beyond the lease
            worker.thaw()
            return
        worker.kill()
        worker.start()

    def _restart_server(self) -> None:
        self.valkey.kill()
        self.valkey.start()
        with LedgerProbe(self.valkey.url()) as ledger:
            self.open_at_restarts += len(ledger.open_attempts())
        for worker in self.workers:  # as a supervisor would, should one have ended
            worker.start()

    def _open_attempts_of(self, worker: WorkerProcess) -> int:
        """Those of the processes of a frozen worker."""
        with LedgerProbe(self.valkey.url()) as ledger:
            owners = ledger.open_attempts()
        pids = [int(owner.rpartition(":")[2]) for owner in owners]
        return sum(_group(pid) == worker.pid for pid in pids)


def _group(pid: int) -> int | None:
    """The process group, None for a process that has ended."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


class Watcher(threading.Thread):
    """Reads the budget all the time: spent, possibly billed and held never exceed it together."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._stop_now = threading.Event()
        self.most = 0

    def run(self) -> None:
        with LedgerProbe(self._url) as ledger:
            while not self._stop_now.wait(0.02):
                try:
                    self.most = max(self.most, sum(ledger.budget("usd", "fleet", "all").values()))
                except Exception:
                    continue

    def stop(self) -> None:
        self._stop_now.set()
        self.join()


def run(jobs: int, pool: str, seed: int, minutes: float) -> list[str]:
    """What went wrong, in words; empty if nothing did."""
    chance = random.Random(seed)
    end = time.monotonic() + minutes * 60
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedValkey(Path(folder) / "valkey") as valkey,
        WireServer() as wire,
    ):
        producer.configure(valkey.url())
        wire.script = mixed(seed, WEIGHTS)
        fleet = Fleet(Path(folder), pool, valkey, wire, chance)
        watcher = Watcher(valkey.url())
        fleet.start()
        watcher.start()
        try:
            submitted = _submit(jobs, fleet, end)
            unfinished = _await(submitted, fleet, end)
            watcher.stop()
            return _report(submitted, unfinished, fleet, watcher)
        finally:
            fleet.stop()


def _submit(count: int, fleet: Fleet, end: float) -> list[producer.Job]:
    """Every job once, whatever the server does: `Unavailable` is answered as the README says."""
    submitted = []
    for number in range(count):
        job_id = None
        while True:
            try:
                options = {"max_tokens": 20}
                job = producer.complete.apply_async(
                    (ask(f"question {number}"), f"u{number % 50}"), options, task_id=job_id
                )
                break
            except producer.errors.Unavailable as error:
                job_id = error.job_id
                if time.monotonic() > end:
                    raise
        submitted.append(job)
        if number % 250 == 249:
            fleet.strike()
    return submitted


def _await(submitted: list[producer.Job], fleet: Fleet, end: float) -> list[str]:
    """Strike until half are done, then let them finish.

    Returns the ids of jobs that have no outcome in the end.
    """
    strikes = 0
    half = len(submitted) // 2
    while strikes < 12 and len(fleet.wire.calls) < half * 1.6 and time.monotonic() < end:
        fleet.strike()
        strikes += 1
    unfinished = []
    for job in submitted:
        try:
            job.value(max(1.0, end - time.monotonic()))
        except TimeoutError:
            unfinished.append(job.id)
        except JobError as error:
            unfinished.append(f"{job.id}: {type(error).__name__}")
    return unfinished


def _report(
    submitted: list[producer.Job], unfinished: list[str], fleet: Fleet, watcher: Watcher
) -> list[str]:
    calls = fleet.wire.calls
    with LedgerProbe(fleet.valkey.url()) as ledger:
        _settled(ledger)
        records = {job.id: ledger.redis.hgetall(KEYS.job(job.id)) for job in submitted}
        books = ledger.budget("usd", "fleet", "all")
    unknown = {job_id: int(record.get("unknown", 0)) for job_id, record in records.items()}
    paid = [call for call in calls if call.billed and call.event.startswith("ok")]
    # Answered calls per job: more than one is paid twice.
    answered = Counter(call.job_id for call in paid)
    paid_again = sum(count - 1 for count in answered.values())
    billed = sum(_micro(call.billed) for call in paid)
    could_be_unknown = fleet.open_at_deaths + fleet.open_at_restarts
    print(
        f"jobs {len(submitted)}, lost {len(unfinished)}, calls {len(calls)}, "
        f"paid again {paid_again}, reported unknown {sum(unknown.values())}\n"
        f"events {dict(fleet.events)}, attempts open at kills and freezes "
        f"{fleet.open_at_deaths}, at restarts of the server {fleet.open_at_restarts}\n"
        f"spent {books['spent']}, billed {billed}, possibly billed {books['maybe']}, "
        f"held {books['held']} micro-dollars; most at any time {watcher.most} of {LIMIT_MICRO}"
    )
    problems = [f"no outcome: {each}" for each in unfinished]
    states = Counter(record.get("state") for record in records.values())
    if set(states) != {"done"}:
        problems.append(f"states {dict(states)}")
    problems += [
        f"paid again without a reported unknown attempt: {job_id}"
        for job_id, count in answered.items()
        if count - 1 > unknown[job_id]
    ]
    if sum(unknown.values()) > could_be_unknown:
        problems.append(
            f"{sum(unknown.values())} unknown attempts, but only {could_be_unknown} attempts "
            "were open at kills, freezes and restarts of the server"
        )
    if books["held"]:
        problems.append(f"{books['held']} micro-dollars still held")
    if not books["spent"] <= billed <= books["spent"] + books["maybe"]:
        problems.append("billed is not between spent and spent + possibly billed")
    if watcher.most > LIMIT_MICRO:
        problems.append("the budget was overshot")
    return problems


def _settled(ledger: LedgerProbe) -> None:
    """Late replies of frozen workers are booked within a lease."""
    for _ in range(100):
        if not ledger.open():
            return
        time.sleep(0.1)


def _micro(usage: dict) -> int:
    """gpt-4o-mini: 0.15 and 0.60 dollars per million tokens, rounded up per call."""
    cost = Decimal("0.15") * usage["prompt_tokens"] + Decimal("0.60") * usage["completion_tokens"]
    return int(cost.to_integral_value(ROUND_UP))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--pool", choices=[*CONCURRENCY], default="asyncio")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--minutes", type=float, default=8.0)
    given = parser.parse_args()
    print(f"pool {given.pool}, seed {given.seed}", flush=True)
    problems = run(given.jobs, given.pool, given.seed, given.minutes)
    for problem in problems:
        print(f"WRONG: {problem}")
    if problems:
        print("chaos: NOT WELL")
        sys.exit(1)
    print("chaos: all well")


if __name__ == "__main__":
    main()
