"""What one job costs, beside a task that does nothing and beside a bare SDK call in a plain task.

    python benchmarks/speed.py [cost] [latency] [producer] [--rounds 3] [--jobs 1000]
        [--in-flight 200]

cost: CPU of the worker and of the server per job, in interleaved rounds; each case has a server and
a worker of its own, the worker pinned to one core; the provider takes 0.3 s. latency: what is added
to the provider's time at 20 jobs a second, for each way to wait. producer: CPU of the caller.
Figures are medians over the rounds; "x" is the ratio to the first row.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parent))

from speed_cases import CASES, PROVIDER_S, Bare, Case, Cost, provider, text

import producer

PER_S = 20
PARTS = ("cost", "latency", "producer")


def cost(folder: Path, wire: str, rounds: int, jobs: int, slots: int) -> None:
    with ExitStack() as stack:
        cases = [of(stack, folder, name, wire, slots) for name, of in CASES.items()]
        seen: dict[str, list[Cost]] = {name: [] for name in CASES}
        for case in cases:
            case.run(slots)
        for _ in range(rounds):
            for case in cases:
                seen[case.name].append(case.run(jobs))
    print(f"\n{jobs:,} jobs a round, {rounds} rounds, {slots} in flight; CPU per job")
    print("case            worker ms     x    server ms     x   jobs/s   MiB")
    first: Cost = {}
    for name, each in seen.items():
        row = {key: median(one[key] for one in each) for key in each[0]}
        first = first or row
        print(
            f"{name:12} {row['worker']:12.2f} {row['worker'] / first['worker']:5.2f}"
            f" {row['server']:12.3f} {row['server'] / first['server']:5.2f}"
            f" {row['per_s']:8.0f} {row['rss']:5.0f}"
        )


def paced(jobs: int, ask: Callable[[int], float]) -> list[float]:
    """`ask(number)` at `PER_S`, each in a thread; what each returned."""
    with ThreadPoolExecutor(64) as threads:
        began, asked = time.perf_counter(), []
        for number in range(jobs):
            time.sleep(max(0.0, began + number / PER_S - time.perf_counter()))
            asked.append(threads.submit(ask, number))
        return [each.result() for each in asked]


def timed(wait: Callable[[int], object]) -> Callable[[int], float]:
    def ask(number: int) -> float:
        began = time.perf_counter()
        wait(number)
        return (time.perf_counter() - began - PROVIDER_S) * 1000

    return ask


def awaited(jobs: int, number: int) -> list[float]:
    """The same on one event loop."""

    async def ask(each: int) -> float:
        await asyncio.sleep(each / PER_S)
        began = time.perf_counter()
        await producer.complete.delay(text(number + each), "u", max_tokens=50)
        return (time.perf_counter() - began - PROVIDER_S) * 1000

    async def all_of_them() -> list[float]:
        return await asyncio.gather(*(ask(each) for each in range(jobs)))

    return asyncio.run(all_of_them())


def latency(folder: Path, wire: str, rounds: int, jobs: int, slots: int) -> None:
    numbers = iter(range(0, 10**9, jobs))
    with ExitStack() as stack:
        engine = Bare(stack, folder, "engine", wire, slots)
        ours = Case(stack, folder, "ours", wire, slots)
        ours.select()
        ask = producer.complete.delay
        ways: dict[str, Callable[[int], list[float]]] = {
            "engine get": lambda base: paced(
                jobs, timed(lambda n: engine.delay(text(base + n)).get(30))
            ),
            "get": lambda base: paced(
                jobs, timed(lambda n: ask(text(base + n), "u", max_tokens=50).get(30))
            ),
            "value": lambda base: paced(
                jobs, timed(lambda n: ask(text(base + n), "u", max_tokens=50).value(30))
            ),
            "await": lambda base: awaited(jobs, base),
        }
        seen: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                seen[name] += way(next(numbers))
    print(f"\n{jobs} jobs a round at {PER_S}/s; added ms")
    for name, each in seen.items():
        cuts = quantiles(each, n=100)
        print(f"{name:12} p50 {cuts[49]:6.1f}  p99 {cuts[98]:6.1f}")


def caller_ms(jobs: int, send: Callable[[], object]) -> float:
    began = time.process_time()
    send()
    return (time.process_time() - began) / jobs * 1000


def callers(folder: Path, wire: str, rounds: int, jobs: int, slots: int) -> None:
    with ExitStack() as stack:
        engine = Bare(stack, folder, "engine", wire, slots)
        ours = Case(stack, folder, "ours", wire, slots)
        ours.select()
        asked = [text(number) for number in range(jobs)]
        engine.worker.kill()
        ways: dict[str, Callable[[], object]] = {
            "engine delay": lambda: [engine.delay(each) for each in asked],
            "delay": lambda: [producer.complete.delay(each, "u", max_tokens=50) for each in asked],
            "many": lambda: producer.complete.many(asked, "u", max_tokens=50),
        }
        seen: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                seen[name].append(caller_ms(jobs, way))
    print("\nCPU of the caller per job")
    first = median(next(iter(seen.values())))
    for name, each in seen.items():
        print(f"{name:14} {median(each):6.3f} ms  x {median(each) / first:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=PARTS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--in-flight", type=int, default=200)
    given = parser.parse_args()
    run = {"cost": cost, "latency": latency, "producer": callers}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with provider(place) as wire:
            for part in given.parts:
                run[part](place / part, wire, given.rounds, given.jobs, given.in_flight)


if __name__ == "__main__":
    main()
