"""What jobs about one large picture take of the ledger's memory.

    python benchmarks/large_requests.py [--jobs 1000] [--megabytes 5]

A server of its own, no worker: memory of its keys (MEMORY USAGE) while the jobs wait and when they
have been cancelled, beside that of as many jobs with a small question; CPU of the caller for each.
"""

import argparse
import base64
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from redis import Redis

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import producer
from worker.embedded import EmbeddedValkey


def memory(server: Redis) -> int:
    return sum(filter(None, map(server.memory_usage, server.scan_iter(count=1000))))


def picture(megabytes: float) -> str:
    noise = random.Random(1).randbytes(int(megabytes * 1e6) * 3 // 4)
    return f"data:image/png;base64,{base64.b64encode(noise).decode()}"


def submitted(server: Redis, jobs: int, messages: Callable[[int], list[dict]], what: str) -> None:
    began = time.process_time()
    made = [
        producer.complete.delay(messages(number), f"user-{number % 50}") for number in range(jobs)
    ]
    cpu_ms = (time.process_time() - began) / jobs * 1000
    waiting = memory(server)
    for job in made:
        job.cancel()
    texts = len(list(server.scan_iter("*:doc*")))
    print(
        f"{jobs:,} jobs about {what}: {waiting / 1e6:.2f} MB while they wait, "
        f"{memory(server) / 1e6:.2f} MB and {texts} stored texts when they are cancelled; "
        f"{cpu_ms:.1f} ms of the caller each"
    )
    server.flushall()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--megabytes", type=float, default=5)
    given = parser.parse_args()
    url = picture(given.megabytes)

    def about_it(number: int) -> list[dict]:
        parts = [
            {"type": "text", "text": f"Question {number}?"},
            {"type": "image_url", "image_url": {"url": url}},
        ]
        return [{"role": "user", "content": parts}]

    def small(number: int) -> list[dict]:
        return [{"role": "user", "content": f"Question {number}?"}]

    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedValkey(Path(folder)) as valkey,
        Redis.from_url(valkey.url()) as server,
    ):
        producer.configure(valkey.url())
        submitted(server, given.jobs, small, "nothing large")
        submitted(server, given.jobs, about_it, f"one picture of {len(url) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
