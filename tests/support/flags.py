"""What each flag of Celery's worker does in each pool: `docs/operations.md` shows it."""

from typing import NamedTuple

from support.stops import POOLS

from producer.contract.names import QUEUES

WORKS = "works"
NO_CHILDREN = "refused: no child processes"
LIMITED = "`DeadlineExceeded`, called once"
ONLY_PREFORK = dict.fromkeys(POOLS, NO_CHILDREN) | {"prefork": WORKS}


class Flag(NamedTuple):
    title: str
    arguments: tuple[str, ...]
    does: dict[str, str] = dict.fromkeys(POOLS, WORKS)
    """Pool -> WORKS, LIMITED or "refused: why"."""

    def refusal(self, pool: str) -> str:
        """Why the pool refuses it; "" if it does not."""
        return self.does[pool].partition("refused: ")[2]


FLAGS = (
    Flag("-Q", ("-Q", QUEUES["interactive"])),
    Flag("-X", ("-X", QUEUES["batch"])),
    Flag(
        "-Q with another's queue",
        ("-Q", f"celery,{QUEUES['batch']}"),
        dict.fromkeys(POOLS, "refused: no queue of this fleet's"),
    ),
    Flag("-n", ("-n", "mine@%h")),
    Flag(
        "-c, --concurrency",
        ("--concurrency=3",),
        dict.fromkeys(POOLS, WORKS) | {"solo": "refused: runs one job at a time"},
    ),
    Flag(
        "--autoscale",
        ("--autoscale=3,1",),
        dict.fromkeys(POOLS, "refused: does not grow by itself") | {"prefork": WORKS},
    ),
    Flag("--max-tasks-per-child", ("--max-tasks-per-child=1",), ONLY_PREFORK),
    Flag("--max-memory-per-child", ("--max-memory-per-child=1000",), ONLY_PREFORK),
    Flag("--soft-time-limit", ("--soft-time-limit=2",), dict.fromkeys(POOLS, LIMITED)),
    Flag("--time-limit", ("--time-limit=2",), dict.fromkeys(POOLS, LIMITED)),
    Flag("-f, --logfile", ("-f", "own.jsonl")),
    Flag("-B, --beat", ("-B", "-s", "schedule")),
    Flag("-O fair", ("-O", "fair")),
    Flag("--disable-prefetch", ("--disable-prefetch",)),
    Flag(
        "--prefetch-multiplier",
        ("--prefetch-multiplier=4",),
        dict.fromkeys(POOLS, "refused: others have free slots"),
    ),
    Flag("-D, --detach without -f", ("-D",), dict.fromkeys(POOLS, "refused: its log is nowhere")),
    Flag(
        "--pool-start-method=spawn",
        ("--pool-start-method=spawn",),
        dict.fromkeys(POOLS, WORKS) | {"prefork": "refused: children are forked"},
    ),
)


def table() -> str:
    header = ["| flag | " + " | ".join(POOLS) + " |", "|---|" + "---|" * len(POOLS)]
    rows = [
        f"| `{flag.title}` | " + " | ".join(flag.does[pool] for pool in POOLS) + " |"
        for flag in FLAGS
    ]
    return "\n".join([*header, *rows])
