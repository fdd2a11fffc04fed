"""The semantic cache through a real worker and a scripted provider: what a crowd that asks the same
in 30 wordings is answered from, if the report tells the same dollars as the books, and what a hit
costs in time.

    python benchmarks/semantic_fleet.py [--users 200] [--rounds 8]
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple
from uuid import uuid4

from redis import Redis

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.ledger import connection, until
from support.near_provider import kind, near_env, near_script, wordings
from support.nodes import DEFAULT_ENV, WorkerProcess
from support.wire import WireServer

import producer
from producer import Completion, complete
from worker.budgets.usage import Usage
from worker.embedded import EmbeddedValkey
from worker.semantic.report import ScopeReport, reports

LEARNT = ("orders", "flights", "trains", "hotels", "parcels", "lessons", "trials", "alarms")
PREFIXES = ("", "Hello. ", "Thanks! ")
CROWD = "crowd"


def ask(text: str, user: str, tag: str = "learning", semantic: bool | None = None):
    messages = [{"role": "user", "content": text}]
    return complete.delay(messages, user, temperature=0, tags=[tag], semantic=semantic)


def report(own) -> ScopeReport:
    (found,) = reports(own.redis, own.keys)
    return found


def learn(own) -> None:
    for topic in LEARNT:
        first, *others = wordings(topic)
        ask(first, "learner").value(60)
        time.sleep(0.3)  # what is learnt is learnt beside the answers
        for job in [ask(text, "learner") for text in others]:
            job.value(60)
    until(lambda: report(own).labelled > 50)


def crowd(users: int) -> list[Completion]:
    texts = [prefix + text for text in wordings("subscriptions") for prefix in PREFIXES]
    rng = random.Random(1)
    found = []
    for start in range(0, users, 8):
        jobs = [
            ask(rng.choice(texts), f"user-{number}", CROWD) for number in range(start, start + 8)
        ]
        found += [job.value(60) for job in jobs]
    return found


class Took(NamedTuple):
    """Milliseconds from start to end."""

    job: float
    embedding: float
    """Of its errand; 0 without one."""


def ended(worker: WorkerProcess) -> dict[str, dict]:
    """The log's lines of ended jobs, in order."""
    lines = [json.loads(line) for line in worker.log().splitlines() if '"job_ended"' in line]
    return {line["job_id"]: line for line in lines}


def took(worker: WorkerProcess, ids: dict[str, str]) -> dict[str, list[Took]]:
    """By kind, of jobs one after the other: an errand between two of them is the later one's.

    `ids`: job -> kind.
    """
    until(lambda: ids.keys() <= ended(worker).keys())
    found: dict[str, list[Took]] = {}
    embedding = 0.0
    for job_id, line in ended(worker).items():
        if job_id.startswith("errand-") and "embedding" in (line["model"] or ""):
            embedding = line["total_ms"]
        elif kind := ids.get(job_id):
            job = Took(line["total_ms"] - line["queue_ms"], embedding)
            found.setdefault(kind, []).append(job)
            embedding = 0.0
    return found


def times(worker: WorkerProcess, known: list[str], rounds: int) -> dict[str, list[Took]]:
    """Hits and misses in turn; each near wording was asked before, so that its vector and verdict
    are known.
    """
    ids = {}
    for number in range(rounds):
        for text in known:
            for wording in (text, f"Well. {text}"):
                job = ask(wording, f"late-{number}")
                cached = job.value(60).cached
                if number:
                    ids[job.id] = {True: "exact", "semantic": "near"}.get(cached, "asked")
            for semantic in (True, False):
                job = ask(f"What is {uuid4()}?", f"late-{number}", semantic=semantic)
                job.value(60)
                if number:
                    ids[job.id] = "miss" if semantic else "call"
    return took(worker, ids)


def p50s(found: dict[str, list[Took]]) -> Iterator[str]:
    for name, jobs in sorted(found.items()):
        whole = median(each.job for each in jobs)
        beside = median(max(0, each.job - each.embedding) for each in jobs)
        yield (
            f"{len(jobs):>4} {name:<5} p50 {whole:>5.1f} ms from start to end, "
            f"{beside:.1f} ms beside the embedding"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=8)
    users, rounds = vars(parser.parse_args()).values()
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedValkey(Path(folder)) as valkey,
        WireServer() as wire,
        Redis.from_url(valkey.url()),
    ):
        wire.script = near_script
        producer.configure(valkey.url())
        openai = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": wire.base_url}
        env = {**DEFAULT_ENV, "REDIS_URL": valkey.url(), **near_env(openai, "serve")}
        worker = WorkerProcess(env, log_path=Path(folder) / "worker.log")
        worker.start()
        try:
            worker.wait_ready()
            own = connection(valkey.url())
            learn(own)
            before = Counter(map(kind, wire.calls))
            saved_before = report(own).saved_usd
            answers = crowd(users)
            cached = Counter(str(answer.cached) for answer in answers)
            calls = Counter(map(kind, wire.calls)) - before
            print(f"{users} users, 30 wordings: {dict(cached)}; calls {dict(calls)}")
            print(f"not made: {1 - calls['answer'] / users:.0%}")
            usage = Usage(own.redis, own.keys)
            today = usage.today()
            books = dict(usage.by("tag", today, today))[CROWD]
            paid = {each.text: each.cost_usd for each in answers if not each.cached}
            exact_usd = sum(paid[each.text] for each in answers if each.cached is True)
            near_usd = books.saved_micro_usd / 1e6 - exact_usd
            told = report(own).saved_usd - saved_before
            print(f"saved by near answers: books {near_usd:.6f}, report {told:.6f} dollars")
            print("\n".join(p50s(times(worker, [*wordings("subscriptions")], rounds))))
            own.close()
        finally:
            worker.kill()


if __name__ == "__main__":
    main()
