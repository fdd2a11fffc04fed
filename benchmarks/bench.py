"""What this costs, beside other ways to make the same calls: all figures of docs/performance.md.

    make bench                                       all parts; writes page, figures and plot
    python benchmarks/bench.py --only cost           one part, printed
    python benchmarks/bench.py --only cost --quick   whether it runs, in seconds
    python benchmarks/bench.py --render              page and plot anew from docs/performance.json

Everything runs on loopback, against a provider that is a process of its own; the worker that is
measured is pinned to one core. CPU is counted, not time, so that ratios hold on a shared machine;
latency, jobs per second and the time of the backlog want a quiet one. Each figure is the median of
interleaved rounds, with the least and the most of them. Other libraries are installed when first
needed, into .bench/; without a package index they are left out, and the table says so.
"""

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from benchmarks.performance import (
    backlog,
    callers,
    cost,
    idle,
    in_flight,
    latency,
    page,
    plot,
    profile,
    start,
)
from benchmarks.performance.cases import provider
from benchmarks.performance.figures import Part, Parts, read, write
from benchmarks.performance.setting import Progress, Setting

PAGES = ROOT / "docs/performance.md", ROOT / "docs/scaling.md"
FIGURES = ROOT / "docs/performance.json"
PLOT = ROOT / "docs/performance.svg"
PARTS: dict[str, tuple[Callable[[Setting, Part], None], str]] = {
    "cost": (cost.measure, "CPU per job of worker and server, beside other libraries; 5 min"),
    "callers": (callers.measure, "CPU of who asks; 1/2 min"),
    "latency": (latency.measure, "what is added to the provider's time, by way to wait; 3 min"),
    "in flight": (in_flight.measure, "10 to 1,000 long calls at once in one process; 6 min"),
    "backlog": (backlog.measure, "the ledger's steps while 1,000 to 1,000,000 wait; 4 min"),
    "idle": (idle.measure, "CPU per hour of what stands still; 2 min"),
    "profile": (profile.measure, "where a worker's time goes, by py-spy; 2 min"),
    "start": (start.measure, "CPU to ready, the first answer, a producer's import; 1 min"),
}


def run(wanted: list[str], rounds: int, quick: bool) -> Parts:
    progress, found, code = Progress(len(wanted)), {}, commit()
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            place = Path(folder) / name.replace(" ", "-")
            place.mkdir()
            progress.part(name)
            began, load, part = time.monotonic(), os.getloadavg()[0], Part()
            with provider(place) as wire:
                PARTS[name][0](Setting(place, wire, rounds, quick, progress), part)
            part.how |= {"load_at_its_start": round(load, 1)}
            part.how |= {"minutes": round((time.monotonic() - began) / 60, 1)}
            part.how |= {"commit": code}
            found[name] = part
            print(f"\n## {name}\n\n{page.of_part(name, part)}", flush=True)
    progress.end()
    return found


def commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


def render(parts: Parts) -> None:
    """Write figures, pages and plot."""
    write(FIGURES, parts)
    kept = read(FIGURES)  # rounded
    for path in PAGES:
        path.write_text(page.rewritten(path.read_text(), kept))
    PLOT.write_text(plot.svg(kept))


def arguments() -> argparse.Namespace:
    parts = "\n".join(f"  {name:10} {about}" for name, (_, about) in PARTS.items())
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"parts:\n{parts}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=list(PARTS),
        metavar="PART",
        help="this part; may be given several times",
    )
    parser.add_argument("--rounds", type=int, default=3, help="of each part (default: 3)")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, one round: the figures say little"
    )
    parser.add_argument(
        "--write", action="store_true", help="write docs/performance.md, .json and .svg"
    )
    parser.add_argument(
        "--render", action="store_true", help="measure nothing: write page and plot anew"
    )
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error("--rounds is 1 or more")
    if given.quick and given.write:
        parser.error("--quick measures too little to be written: leave out --write")
    return given


def main() -> int:
    given = arguments()
    if given.render:
        render(read(FIGURES))
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    rounds = given.rounds
    if given.quick:
        rounds = 1
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores")
    try:
        found = run(given.only or list(PARTS), rounds, given.quick)
    except KeyboardInterrupt:
        print("\nStopped: nothing was written, and all processes have ended.", file=sys.stderr)
        return 130
    print(f"\n## Targets\n\n{page.of_targets(found, all_of_them=not given.only)}")
    if given.write:
        render(read(FIGURES) | found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
