"""`make chaos`: many jobs, three workers that are killed and frozen at random, a server that
restarts; then the books.

    python tests/chaos.py [--jobs 2000] [--pool threads|prefork] [--seed N] [--minutes 8]

It ends with exit code 0 if no job was lost, each has one outcome, no call was paid twice without
being reported as unknown, and spent and possibly billed agree with the provider's side of the wire.
The seed is printed first; the same seed gives the same events in the same order.
"""

import argparse
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
CONCURRENCY = {"threads": 8, "prefork": 4}
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
        self.valkey, self.wire, self.chance = valkey, wire, chance
        self.slots = CONCURRENCY[pool]
        self.on_the_wire_at_kills = 0
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
            WorkerProcess(env, pool, self.slots, f"w{n}", folder / f"w{n}.log")
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
        """One event: kill and start again, freeze for longer than a lease, or restart the server."""
        event = self.chance.choices(["kill", "freeze", "server"], [5, 3, 2])[0]
        worker = self.chance.choice(self.workers)
        self.events[event] += 1
        if event == "server":
            self.valkey.kill()
            self.valkey.start()
            for each in self.workers:  # a supervisor's work, should one have ended
                each.start()
            return
        if event == "freeze":
            worker.freeze()
            self.on_the_wire_at_kills += min(self.slots, self.wire.concurrent)
            time.sleep(4)  # beyond the lease
            worker.thaw()
            return
        self.on_the_wire_at_kills += min(self.slots, self.wire.concurrent)
        worker.kill()
        worker.start()


class Watcher(threading.Thread):
    """Looks at the budget all the time: spent, possibly billed and held together never exceed it."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url, self._stop_now = url, threading.Event()
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
    """Strike on, until half are done; then let them finish. Ids of jobs that have no outcome in the
    end.
    """
    strikes, half = 0, len(submitted) // 2
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
    wire = fleet.wire
    with LedgerProbe(fleet.valkey.url()) as ledger:
        _settled(ledger)
        records = {job.id: ledger.redis.hgetall(KEYS.job(job.id)) for job in submitted}
        books = ledger.budget("usd", "fleet", "all")
        unknown = sum(int(record.get("unknown", 0)) for record in records.values())
    # Answered calls per job: more than one is paid twice.
    answered = Counter(
        call.job_id for call in wire.calls if call.billed and call.event.startswith("ok")
    )
    extra = sum(count - 1 for count in answered.values())
    billed = sum(
        _micro(call.billed) for call in wire.calls if call.billed and call.event.startswith("ok")
    )
    print(
        f"jobs {len(submitted)}, lost {len(unfinished)}, calls {len(wire.calls)}, paid again {extra}, reported unknown {unknown}"
    )
    print(
        f"events {dict(fleet.events)}, on the wire at kills and freezes {fleet.on_the_wire_at_kills}"
    )
    print(
        f"spent {books['spent']}, billed {billed}, possibly billed {books['maybe']}, held {books['held']} micro-dollars; "
        f"most at any time {watcher.most} of {LIMIT_MICRO}"
    )
    problems = [f"no outcome: {each}" for each in unfinished]
    states = Counter(record.get("state") for record in records.values())
    if set(states) != {"done"}:
        problems.append(f"states {dict(states)}")
    silent = [
        job_id
        for job_id, count in answered.items()
        if count - 1 > int(records[job_id].get("unknown", 0))
    ]
    problems += [f"paid again without a reported unknown attempt: {job_id}" for job_id in silent]
    if unknown > fleet.on_the_wire_at_kills:
        problems.append(
            f"{unknown} unknown attempts, but only {fleet.on_the_wire_at_kills} calls were on the wire at the kills"
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
    parser.add_argument("--pool", choices=["threads", "prefork"], default="threads")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--minutes", type=float, default=8.0)
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(1_000_000)
    print(f"pool {given.pool}, seed {seed}", flush=True)
    problems = run(given.jobs, given.pool, seed, given.minutes)
    for problem in problems:
        print(f"WRONG: {problem}")
    print("chaos: " + ("NOT WELL" if problems else "all well"))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
