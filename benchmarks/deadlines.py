"""How close a total deadline of 1 s is kept, for every vendor and both pools.

Silent, stalled and trickling answers; about a minute.

python benchmarks/deadlines.py [rounds]
"""

import json
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import slow
from support.nodes import WorkerProcess
from support.wire import WireServer

import producer
from producer.contract.errors import JobError
from worker.embedded import EmbeddedValkey


def latencies(folder: Path, pool: str, rounds: int) -> dict[tuple[str, str], list[int]]:
    """(link, event) -> milliseconds from the call's start to its end, as its record tells."""
    found: dict[tuple[str, str], list[int]] = {case: [] for case in slow.CASES}
    with EmbeddedValkey(folder / "valkey") as valkey, WireServer() as wire:
        wire.script = slow.script
        producer.configure(valkey.url())
        log = folder / "worker.log"
        env = {"REDIS_URL": valkey.url(), **slow.env(wire.base_url)}
        worker = WorkerProcess(env, pool, 3, "bench", log)
        worker.start()
        try:
            worker.wait_ready()
            for _ in range(rounds):
                for job, case in zip(slow.submit(producer.complete), slow.CASES, strict=True):
                    try:
                        job.value(60)
                    except JobError:
                        found[case].append(_latency(log, job.id))
        finally:
            worker.kill()
    return found


def _latency(log: Path, job_id: str) -> int:
    lines = (json.loads(line) for line in log.read_text().splitlines() if '"provider_call"' in line)
    return next(line["latency_ms"] for line in lines if line["request_id"] == job_id)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for pool in ("threads", "prefork"):
        with tempfile.TemporaryDirectory() as folder:
            found = latencies(Path(folder), pool, rounds)
        for (link, event), times in found.items():
            kind, *_ = event.split(";")
            print(
                f"{pool:<8} {link:<30} {kind:<13} "
                f"median {median(times):>5} ms, worst {max(times):>5} ms"
            )
        worst = max(max(times) for times in found.values())
        print(f"{pool:<8} worst of all: {worst} ms of 1,200 allowed")


if __name__ == "__main__":
    main()
