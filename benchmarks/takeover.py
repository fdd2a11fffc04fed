"""How long after `kill -9` of a worker all its jobs run elsewhere or have ended.

With calls on the wire; the median of ten kills.

python benchmarks/takeover.py [kills] [threads|prefork]
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.ledger import KEYS, LedgerProbe, ask
from support.nodes import WorkerProcess
from support.wire import WireServer

import producer
from worker.embedded import EmbeddedValkey

CALLS = 8


def takeover_s(folder: Path, pool: str) -> float:
    """One kill: seconds until each of the eight jobs has a new start, or an outcome."""
    with (
        EmbeddedValkey(folder / "valkey") as valkey,
        WireServer() as wire,
        LedgerProbe(valkey.url()) as ledger,
    ):
        producer.configure(valkey.url())
        env = {
            "REDIS_URL": valkey.url(),
            "LLM_CHAIN": "openai:gpt-4o-mini",
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": wire.base_url,
        }
        wire.script = lambda request, number: "hang" if number < CALLS else "ok;delay=0.5"
        doomed, other = (
            WorkerProcess(env, pool, CALLS, name, folder / f"{name}.log")
            for name in ("doomed", "other")
        )
        try:
            doomed.start()
            doomed.wait_ready()
            jobs = [
                producer.complete.delay(ask(f"question {n}"), f"u{n}", max_tokens=10)
                for n in range(CALLS)
            ]
            wire.wait_for(lambda calls: len(calls) == CALLS)
            other.start()
            other.wait_ready()
            killed = time.monotonic()
            doomed.kill()
            while not all(_moved(ledger, job.id) for job in jobs):
                time.sleep(0.02)
            return time.monotonic() - killed
        finally:
            doomed.kill()
            other.kill()


def _moved(ledger: LedgerProbe, job_id: str) -> bool:
    state, fence = ledger.redis.hmget(KEYS.job(job_id), "state", "fence")
    return state == "done" or int(fence) > 1


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    pool = sys.argv[2] if len(sys.argv) > 2 else "threads"
    times = []
    for _ in range(kills):
        with tempfile.TemporaryDirectory() as folder:
            times.append(takeover_s(Path(folder), pool))
        print(f"{pool}: {times[-1]:.1f} s", flush=True)
    print(f"{pool}: median {median(times):.1f} s, worst {max(times):.1f} s of 15 allowed")


if __name__ == "__main__":
    main()
