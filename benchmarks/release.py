"""Does releasing a job cost more with more users or a longer backlog?

    python benchmarks/release.py [--largest 1000000]

Fills a ledger with waiting jobs, then begins and ends 500 of them by hand; each end releases the
next. Shows the server's time per end (settle and release in one script) for 1 to 10,000 users and
backlogs of 1,000 to 1,000,000, as ratios to the smallest; and the same for a begin, which releases
nothing: what both grow by is the memory's doing (caches), not the release's.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.hand_run import ASKED, HandRun
from support.ledger import until

import producer
from worker.embedded import EmbeddedValkey

ENDS = 500
CASES = [
    (1, 1_000),
    (100, 10_000),
    (10_000, 10_000),
    (1, 100_000),
    (10_000, 100_000),
    (1, 1_000_000),
    (10_000, 1_000_000),
]


def cost_us(folder: Path, users: int, backlog: int) -> tuple[float, float]:
    """Medians of the server's microseconds per end and per start of a job, on an idle server."""
    with EmbeddedValkey(folder) as valkey:
        producer.configure(valkey.url())
        fleet = HandRun(valkey.url(), slots=8)
        for user in range(users):
            for start in range(0, backlog // users, 10_000):
                count = min(10_000, backlog // users - start)
                producer.complete.many([ASKED] * count, f"user{user}")
        fleet.released = list(fleet.redis.zrange("cc:{0}:open", 0, -1))
        opened = [fleet.start(fleet.released.pop(0)) for _ in range(len(fleet.released))]
        until(lambda: not fleet.redis.info("persistence")["aof_rewrite_in_progress"], 300)
        ends, begins = [], []
        for _ in range(ENDS):
            before = _evals(fleet)
            fleet.answer(opened.pop(0))
            between = _evals(fleet)
            opened.append(fleet.start(fleet.released.pop(0)))
            ends.append(between - before)
            begins.append(_evals(fleet) - between)
        fleet.redis.close()
        return median(ends), median(begins)


def _evals(fleet: HandRun) -> int:
    return fleet.redis.info("commandstats").get("cmdstat_fcall", {}).get("usec", 0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--largest", type=int, default=1_000_000)
    given = parser.parse_args()
    base = None
    for users, backlog in CASES:
        if backlog <= given.largest:
            with tempfile.TemporaryDirectory() as folder:
                cost = cost_us(Path(folder), users, backlog)
            base = base or cost
            end = cost[0] / base[0]
            begin = cost[1] / base[1]
            print(
                f"{users:>6,} users, {backlog:>9,} waiting: "
                f"end {end:.2f}, begin {begin:.2f}; {end / begin:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
