"""How a worker may be told to stop, and what becomes of its calls; in `docs/operations.md`."""

import os
import signal
from collections.abc import Callable
from typing import NamedTuple

import producer

POOLS = ("asyncio", "threads", "prefork", "solo")


class Stop(NamedTuple):
    """One way to tell a worker to stop, which has two calls on the wire (solo: one)."""

    title: str
    tell: Callable[[object], None]
    """Does it to a `WorkerProcess`."""
    env: dict[str, str] = {}
    ends: bool = True
    """Whether the worker is gone afterwards."""
    pools: tuple[str, ...] = POOLS
    flags: tuple[str, ...] = ()


def to_main(*numbers: int) -> Callable[[object], None]:
    """The signals in turn, each when the one before has been heard."""

    def tell(worker) -> None:
        for number in numbers:
            heard = worker.log().count("STOPPING")
            os.kill(worker.pid, number)
            worker.wait_for_log("STOPPING", times=heard + 1)

    return tell


def to_group(number: int) -> Callable[[object], None]:
    return lambda worker: os.killpg(worker.pid, number)


def by_command(command: str) -> Callable[[object], None]:
    """One of Celery's remote control, to all workers."""
    return lambda worker: producer.complete.app.control.broadcast(command)


REMAPPED = {"REMAP_SIGTERM": "SIGQUIT"}
STOPS = (
    Stop("SIGTERM to the main process", to_main(signal.SIGTERM)),
    Stop("SIGTERM to every process (systemd, Heroku, `tini -g`)", to_group(signal.SIGTERM)),
    Stop("SIGTERM twice", to_main(signal.SIGTERM, signal.SIGTERM)),
    Stop("SIGINT to every process (Ctrl-C)", to_group(signal.SIGINT)),
    Stop("SIGINT twice", to_main(signal.SIGINT, signal.SIGINT)),
    Stop("SIGQUIT to every process", to_group(signal.SIGQUIT)),
    Stop("SIGTERM to every process, with `REMAP_SIGTERM`", to_group(signal.SIGTERM), REMAPPED),
    Stop("`celery control shutdown`", by_command("shutdown")),
    Stop("`celery control pool_restart`", by_command("pool_restart"), ends=False),
    Stop(
        "`--max-tasks-per-child=1`, SIGTERM to every process",
        to_group(signal.SIGTERM),
        pools=("prefork",),
        flags=("--max-tasks-per-child=1",),
    ),
    Stop(
        "`--max-memory-per-child`, SIGTERM to every process",
        to_group(signal.SIGTERM),
        pools=("prefork",),
        flags=("--max-memory-per-child=1000",),
    ),
    Stop(
        "`--autoscale=2,1`, SIGTERM to every process",
        to_group(signal.SIGTERM),
        pools=("prefork",),
        flags=("--autoscale=2,1",),
    ),
)


def table() -> str:
    """Calls at the wire, of as many jobs that ran."""
    header = ["| told | " + " | ".join(POOLS) + " |", "|---|" + "---|" * len(POOLS)]
    for stop in STOPS:
        cells = ["finished, none repeated" if pool in stop.pools else "-" for pool in POOLS]
        header.append(f"| {stop.title} | " + " | ".join(cells) + " |")
    return "\n".join(header)
