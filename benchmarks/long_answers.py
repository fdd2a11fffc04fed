"""3,000 tokens at 50 tokens a second, with the default settings at every vendor's default model.

Plain, and with 2,500 tokens of thinking of which nothing is heard; beside them a provider that says
nothing at all. A minute and a half.

python benchmarks/long_answers.py
"""

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import long
from support.ledger import ask
from support.nodes import WorkerProcess
from support.protocol import PLAIN
from support.wire import WireServer

import producer
from producer.contract.errors import JobError
from worker.embedded import EmbeddedValkey

PIECES = 3_000


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedValkey(Path(folder) / "valkey") as valkey,
        WireServer() as wire,
    ):
        PLAIN["text"] = long.text(PIECES)
        writing = long.writing(per_second=50, pieces=PIECES)
        wire.script = lambda request, number: (
            "hang" if "<hang>" in str(request) else writing(request, number)
        )
        producer.configure(valkey.url())
        env = {"REDIS_URL": valkey.url(), **long.env(wire.base_url)}
        worker = WorkerProcess(env, "threads", 12, "bench", Path(folder) / "worker.log")
        worker.start()
        try:
            worker.wait_ready()
            report()
            print(f"calls at the wire: {len(wire.calls)}")
        finally:
            worker.kill()


def report() -> None:
    jobs = long.submit(producer.complete)
    silent = producer.complete.delay(ask("<hang>"), "user", model=long.LINKS[0], deadline_s=40)
    started = time.monotonic()
    try:
        silent.value(60)
    except JobError as error:
        left_s = time.monotonic() - started
        print(f"nothing at all: {type(error).__name__} after {left_s:.1f} s: {error}")
    for job, (link, kind) in zip(jobs, long.CASES, strict=True):
        answer = job.value(300)
        print(
            f"{link:<16} {kind:<9} {answer.usage.output:,} tokens ({answer.usage.reasoning:,} of "
            f"thinking) in {answer.latency_ms / 1000:.1f} s, {answer.attempts} attempt"
        )


if __name__ == "__main__":
    main()
