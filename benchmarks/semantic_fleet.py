"""The semantic cache through a real worker and a scripted provider: what a crowd that asks the same
in 30 wordings is answered from, if the report tells the same dollars as the books, and what a hit
costs in time.

    python benchmarks/semantic_fleet.py [--users 200]
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

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


def ask(text: str, user: str, tag: str = "learning"):
    messages = [{"role": "user", "content": text}]
    return complete.delay(messages, user, temperature=0, tags=[tag])


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


def times(worker: WorkerProcess, texts: list[str], cached: object) -> list[float]:
    """Milliseconds from start to end of jobs, one after the other, that were answered so; each text
    was asked once before, so that its vector and its verdict are known.
    """
    ids = []
    for number, text in enumerate([*texts, *texts * 5]):
        job = ask(text, f"late-{number % 5}")
        if job.value(60).cached == cached and number >= len(texts):
            ids.append(job.id)
    until(lambda: all(each in worker.log() for each in ids))
    lines = [json.loads(line) for line in worker.log().splitlines() if '"job_ended"' in line]
    ended = {line["job_id"]: line["total_ms"] - line["queue_ms"] for line in lines}
    return [ended[each] for each in ids]


def embeddings(worker: WorkerProcess) -> list[float]:
    """Milliseconds of the embed jobs whose vectors were cached, as those of near hits are."""
    lines = [json.loads(line) for line in worker.log().splitlines() if '"job_ended"' in line]
    return [
        line["total_ms"]
        for line in lines
        if line["job_id"].startswith("errand-")
        and "embedding" in (line["model"] or "")
        and not line["provider_ms"]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=200)
    users = parser.parse_args().users
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
            known = [*wordings("subscriptions")]
            exact = times(worker, known[:10], True)
            near = times(worker, [f"Well. {text}" for text in known], "semantic")
            print(
                f"p50 from start to end: {len(exact)} exact hits {median(exact):.0f} ms, "
                f"{len(near)} near hits {median(near):.0f} ms, "
                f"of which their embedding {median(embeddings(worker)):.0f} ms"
            )
            own.close()
        finally:
            worker.kill()


if __name__ == "__main__":
    main()
