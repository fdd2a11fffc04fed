"""Do large batches stay linear, in time and in memory?

    python benchmarks/batches.py [--largest 100000]

Submits batches of growing size (no worker), asks for progress and reads all results; then ends some
items by hand. Shows time per item as a ratio to the smallest batch, and Redis's memory per item
beyond its request, while it waits and once it has ended.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.hand_run import HandRun

import producer
from producer.batches import Batch
from worker.embedded import EmbeddedValkey

PROMPT = "Summarise this in one sentence: " + "a fact about brokers. " * 40
ENDED = 2000


def used(fleet: HandRun) -> int:
    return int(fleet.redis.info("memory")["used_memory"])


def timed(action) -> tuple[float, object]:
    started = time.monotonic()
    result = action()
    return time.monotonic() - started, result


def run(count: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder)) as valkey:
        producer.configure(valkey.url())
        fleet = HandRun(valkey.url(), slots=50)
        before = used(fleet)
        requests = ([{"role": "user", "content": f"{number} {PROMPT}"}] for number in range(count))
        submit_s, batch = timed(lambda: Batch.submit(requests, "u1"))
        stored = len(fleet.redis.get(f"cc:{{0}}:q:{batch.id}.0"))
        waiting = (used(fleet) - before) / count - stored
        look_s = median(timed(batch.progress)[0] for _ in range(20))
        read_s, _ = timed(lambda: sum(1 for _ in batch.results()))
        fleet.released = list(fleet.redis.zrange("cc:{0}:open", 0, -1))
        mid, ended = used(fleet), min(ENDED, count // 2)
        for _ in range(ended):
            fleet.answer(fleet.start(fleet.released.pop(0)))
        # They end in an error, which keeps the request, to be tried again.
        change = (used(fleet) - mid) / ended
        fleet.redis.close()
        times = {"submit": submit_s / count, "look": look_s, "read": read_s / count}
        return times | {"waiting": waiting, "ended": waiting + change}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--largest", type=int, default=100_000)
    given = parser.parse_args()
    base = None
    for count in (1_000, 10_000, 100_000):
        if count <= given.largest:
            now = run(count)
            base = base or now
            ratios = {name: now[name] / base[name] for name in ("submit", "look", "read")}
            print(
                f"{count:>7,} items: "
                f"per item submit {ratios['submit']:.2f}, results {ratios['read']:.2f}; "
                f"a look {ratios['look']:.2f}; "
                f"bytes beyond the request {now['waiting']:,.0f} waiting, "
                f"{now['ended']:,.0f} ended",
                flush=True,
            )


if __name__ == "__main__":
    main()
