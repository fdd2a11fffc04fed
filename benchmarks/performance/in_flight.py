"""Many long calls at once in one worker process on one core: jobs per second, and memory.

A round: as many jobs as all slots work off some times over. The time is that from the end of the
first slotful to that of the last, so that no wave of ends is half in it.
"""

import json
import re
import time
from collections import Counter
from contextlib import ExitStack

from support.ledger import until

from .cases import Asyncio, Case, Threads, cpu_s, rss_mib
from .figures import Part
from .setting import Setting

LEVELS: list[tuple[type[Case], int, float]] = [
    (Asyncio, 10, 3.0),
    (Asyncio, 50, 3.0),
    (Asyncio, 200, 3.0),
    (Threads, 200, 3.0),
    (Asyncio, 1000, 10.0),
]
"""Pool, calls at once, seconds that each takes."""
QUICK: list[tuple[type[Case], int, float]] = [(Asyncio, 10, 0.5), (Threads, 50, 1.0)]
ONE_JOB = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+(\.\d+)?")
"""What makes each warning another one."""


def measure(setting: Setting, part: Part) -> None:
    levels = LEVELS
    if setting.quick:
        levels = QUICK
    with ExitStack() as stack:
        cases = {}
        for of, slots, delay_s in levels:
            name = f"{slots:,} of {delay_s:g} s, {of.pool}"
            setting.progress.step(f"start, {name}")
            case = of(stack, setting.folder, setting.provider.url(delay_s), slots)
            case.start()
            cases[name] = case, slots, delay_s
        told = {name: len(warnings(case)) for name, (case, _, _) in cases.items()}
        for number in range(setting.rounds):
            for name, (case, slots, delay_s) in cases.items():
                setting.step(name, number)
                part.add(name, one_round(setting, case, slots, delay_s))
        warned = Counter(
            ONE_JOB.sub("...", warning)
            for name, (case, _, _) in cases.items()
            for warning in warnings(case)[told[name] :]
        )
        if warned:
            each = (f"{number} x {warning}" for warning, number in warned.most_common(3))
            part.how["warnings"] = "; ".join(each)


def one_round(setting: Setting, case: Case, slots: int, delay_s: float) -> dict[str, float]:
    """`core`: the share of one core that the worker took; `most`: calls in flight at once."""
    times = 3
    if delay_s > 5:
        times = 2
    jobs = slots * (1 + times)
    first, failed = case.ended() + case.failed(), case.failed()
    warned, seen = len(warnings(case)), setting.provider.seen
    seen(delay_s)
    case.send(0, jobs)
    wait_for_ends(case, first + slots)
    began, used = time.monotonic(), cpu_s(case.worker.pid)
    wait_for_ends(case, first + jobs)
    lasted = time.monotonic() - began
    used, rss = cpu_s(case.worker.pid) - used, rss_mib(case.worker.pid)
    per_s = slots * times / lasted
    return {
        "per_s": per_s,
        "possible": per_s * delay_s / slots,
        "most": seen(delay_s)["most"],
        "rss_mib": rss,
        "core": used / lasted,
        "warnings": len(warnings(case)) - warned,
        "failed": case.failed() - failed,
    }


def wait_for_ends(case: Case, ended: int) -> None:
    until(lambda: case.ended() + case.failed() >= ended, 200)


def warnings(case: Case) -> list[str]:
    """What each line says that the worker logged as one or as worse."""
    lines = [line for line in case.worker.log().splitlines() if line.startswith("{")]
    grave = ("warning", "error", "critical")
    told = map(json.loads, lines)
    return [str(line.get("event"))[:90] for line in told if line.get("level") in grave]
