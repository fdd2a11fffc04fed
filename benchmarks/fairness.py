"""Does one user's backlog delay another's question, and what does fairness cost?

A simulated provider is the bottleneck.

    python benchmarks/fairness.py [--jobs 12000] [--rounds 3]

Shows, in one run: answers to ten single questions behind one user's backlog against the idle
latency; that user's throughput with and without them; Jain's index of ten equally greedy users and
the shares of weights 1:2:4 when half of their jobs are done; and the time to submit 10,000 jobs
with `complete.many` against 10,000 plain Celery `delay` calls.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from celery import Celery
from support.ledger import KEYS, LedgerProbe, ask
from support.nodes import WorkerProcess

import producer
from worker.budgets.overrides import Overrides, Subject
from worker.embedded import EmbeddedValkey

SLOTS = 20
CALL_S = 1.0


class Fleet:
    """A private server, and a worker of `SLOTS` slots whose provider takes `CALL_S` per call."""

    def __init__(self, folder: Path, call_s: float = CALL_S) -> None:
        self.folder = folder
        self.valkey = EmbeddedValkey(folder / "valkey")
        self._call_s = call_s

    def __enter__(self) -> "Fleet":
        self.valkey.start()
        producer.configure(self.valkey.url())
        env = {
            "REDIS_URL": self.valkey.url(),
            "LLM_CHAIN": "simulator:s",
            "LLM_USER_TOKENS_PER_HOUR": "1000000000",
            "LLM_LINK_SIMULATOR_OPTIONS": f"latency_ms={round(self._call_s * 1000)}",
            "LLM_LOG_LEVEL": "WARNING",
        }
        self.worker = WorkerProcess(
            {**env, "LLM_LOG_LEVEL": "INFO"}, "threads", SLOTS, "bench", self.folder / "worker.log"
        )
        self.worker.start()
        self.worker.wait_ready()
        self.ledger = LedgerProbe(self.valkey.url())
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.kill()
        self.ledger.redis.close()
        self.valkey.stop()

    def done(self) -> Counter:
        """Answered jobs per user, from the worker's records."""
        lines = (
            json.loads(line) for line in self.worker.log().splitlines() if '"provider_call"' in line
        )
        return Counter(line["user_id"] for line in lines)


def ask_one(user: str) -> float:
    """Seconds from asking to the answer."""
    started = time.monotonic()
    producer.complete.delay(ask(f"one question of {user}"), user, max_tokens=20).value(120)
    return time.monotonic() - started


def backlog(user: str, batch: int, interactive: int) -> None:
    for lane, count in (("batch", batch), ("interactive", interactive)):
        producer.complete.many(
            [ask(f"{lane} {n}") for n in range(count)], user, max_tokens=20, lane=lane
        )


def throughput(fleet: Fleet, user: str, seconds: float) -> float:
    before, started = fleet.done()[user], time.monotonic()
    time.sleep(seconds)
    return (fleet.done()[user] - before) / (time.monotonic() - started)


def questions(jobs: int) -> tuple[float, float, float]:
    """(idle latency, worst of ten questions behind a backlog, the greedy user's share)."""
    with tempfile.TemporaryDirectory() as folder, Fleet(Path(folder)) as fleet:
        ask_one("warm")
        idle = median(ask_one("idle") for _ in range(3))
        backlog("greedy", jobs * 5 // 6, jobs // 6)
        time.sleep(3)
        alone = throughput(fleet, "greedy", 8)
        before, started = fleet.done()["greedy"], time.monotonic()
        worst = max(ask_one(f"user{n}") for n in range(10))
        with_others = (fleet.done()["greedy"] - before) / (time.monotonic() - started)
        return idle, worst, with_others / alone


def shares(weights: list[int]) -> tuple[float, list[float]]:
    """(Jain's index, jobs done per weight) of greedy users, when half of all jobs are done."""
    with tempfile.TemporaryDirectory() as folder, Fleet(Path(folder), call_s=0.05) as fleet:
        users = [f"user{n}" for n in range(len(weights))]
        for user, weight in zip(users, weights, strict=True):
            Overrides(fleet.ledger.redis, KEYS).change(Subject("user", user), weight=weight)
        each = 300 * max(1, 10 // len(users))
        for start in range(0, each, 100):
            for user in users:
                producer.complete.many(
                    [ask(f"{user} {start + n}") for n in range(100)], user, max_tokens=20
                )
        total = each * len(users)
        while sum((done := fleet.done()).values()) < total // 2:
            time.sleep(0.1)
        rates = [done[user] / weight for user, weight in zip(users, weights, strict=True)]
        return sum(rates) ** 2 / (len(rates) * sum(rate**2 for rate in rates)), rates


def submission(count: int) -> tuple[float, float]:
    """Seconds for `complete.many` and for plain Celery, each with `count` jobs and no worker."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder) / "valkey") as valkey:
        producer.configure(valkey.url())
        started = time.monotonic()
        producer.complete.many([ask(f"question {n}") for n in range(count)], "u1")
        many = time.monotonic() - started
        app = Celery(broker=valkey.url(1), backend=valkey.url(1), set_as_current=False)

        @app.task(name="plain")
        def task(messages: list[dict[str, str]], user_id: str) -> None:
            """Never run: there is no worker."""

        started = time.monotonic()
        for n in range(count):
            task.delay(ask(f"question {n}"), "u1")
        return many, time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=12_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    found = [questions(given.jobs) for _ in range(given.rounds)]
    for idle, worst, kept in found:
        allowed = 2 * idle + CALL_S
        print(
            f"idle {idle:.2f} s, worst behind {given.jobs:,} jobs {worst:.2f} s "
            f"(allowed {allowed:.2f}), kept {kept:.0%}"
        )
    worst = median(worst / idle for idle, worst, _ in found)
    kept = median(kept for _, _, kept in found)
    print(f"median: worst {worst:.2f} x idle, kept {kept:.0%}")
    print(f"ten equal users: Jain's index {shares([1] * 10)[0]:.4f} (0.98 wanted)")
    index, rates = shares([1, 2, 4])
    worst_off = max(abs(rate / (sum(rates) / 3) - 1) for rate in rates)
    print(
        f"weights 1:2:4: each within {worst_off:.1%} of its share (10 % allowed), index {index:.4f}"
    )
    many, plain = submission(10_000)
    print(
        f"10,000 jobs: complete.many takes {many / plain:.2f} "
        "of plain Celery's delay (0.20 allowed)"
    )


if __name__ == "__main__":
    main()
