"""What is added to the provider's time at 20 jobs a second, for each way to wait."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from statistics import quantiles

import producer

from .cases import PROVIDER_S, Bare, Case, text
from .figures import Part
from .setting import Setting

PER_S = 20
SLOTS = 200
Ask = Callable[[int], object]


def measure(setting: Setting, part: Part) -> None:
    jobs = setting.size(200, 30)
    part.how.update(jobs=jobs, per_s=PER_S, provider_s=PROVIDER_S)
    numbers = iter(range(0, 10**9, jobs))
    with ExitStack() as stack:
        engine = Bare(stack, setting.folder, setting.provider.url(), SLOTS)
        ours = Case(stack, setting.folder, setting.provider.url(), SLOTS)
        for case in (engine, ours):
            case.start()
            case.run(SLOTS)
        ours.select()
        ways: dict[str, Callable[[int], list[float]]] = {
            "Celery's `get()`": lambda base: paced(
                jobs, base, lambda n: engine.delay(text(n)).get(30)
            ),
            "our `get()`": lambda base: paced(jobs, base, lambda n: ask(n).get(30)),
            "our `value()`": lambda base: paced(jobs, base, lambda n: ask(n).value(30)),
            "our `await`": lambda base: awaited(jobs, base),
        }
        for way in ways.values():
            way(10**9 + next(numbers))  # threads, connections and clients are there
        for number in range(setting.rounds):
            for name, way in ways.items():
                setting.step(name, number)
                cuts = quantiles(way(next(numbers)), n=100, method="inclusive")
                part.add(name, {"p50_ms": cuts[49], "p99_ms": cuts[98]})


def ask(number: int) -> producer.Job:
    return producer.complete.delay(text(number), "u", max_tokens=50)


def paced(jobs: int, base: int, wait: Ask) -> list[float]:
    """Milliseconds that each took beyond its provider, each in a thread."""

    def timed(number: int) -> float:
        began = time.perf_counter()
        wait(number)
        return (time.perf_counter() - began - PROVIDER_S) * 1000

    with ThreadPoolExecutor(64) as threads:
        began, asked = time.perf_counter(), []
        for number in range(jobs):
            time.sleep(max(0.0, began + number / PER_S - time.perf_counter()))
            asked.append(threads.submit(timed, base + number))
        return [each.result() for each in asked]


def awaited(jobs: int, base: int) -> list[float]:
    """The same on one event loop."""

    async def timed(number: int) -> float:
        await asyncio.sleep(number / PER_S)
        began = time.perf_counter()
        await ask(base + number)
        return (time.perf_counter() - began - PROVIDER_S) * 1000

    async def all_of_them() -> list[float]:
        return await asyncio.gather(*map(timed, range(jobs)))

    return asyncio.run(all_of_them())
