"""3,000 tokens at 50 tokens a second, with the default settings at every vendor's default model.

Plain, and with 2,500 tokens of thinking of which nothing is heard; beside them a provider that says
nothing at all. A minute and a half.

python benchmarks/long_answers.py
"""

import json
import sys
import tempfile
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
            report(Path(folder) / "worker.log")
            print(f"calls at the wire: {len(wire.calls)}")
        finally:
            worker.kill()


def report(log: Path) -> None:
    jobs = long.submit(producer.complete)
    silent = producer.complete.delay(ask("<hang>"), "user", model=long.LINKS[0], deadline_s=40)
    try:
        silent.value(60)
    except JobError as error:
        lasted = ", ".join(f"{seconds:.1f} s" for seconds in latencies(log, silent.id))
        print(f"nothing at all: {type(error).__name__}; its calls lasted {lasted}")
    for job, (link, kind) in zip(jobs, long.CASES, strict=True):
        answer = job.value(300)
        print(
            f"{link:<16} {kind:<9} {answer.usage.output:,} tokens ({answer.usage.reasoning:,} of "
            f"thinking) in {answer.latency_ms / 1000:.1f} s, {answer.attempts} attempt"
        )


def latencies(log: Path, job_id: str) -> list[float]:
    """Seconds of each call of the job, as their records tell."""
    lines = (json.loads(line) for line in log.read_text().splitlines() if '"provider_call"' in line)
    return [line["latency_ms"] / 1000 for line in lines if line["request_id"] == job_id]


if __name__ == "__main__":
    main()
