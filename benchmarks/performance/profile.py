"""Where a worker's time goes in full jobs: py-spy's samples of who holds the GIL, by owner."""

import subprocess
from collections import Counter
from contextlib import ExitStack

from worker.embedded import tethered

from .cases import Asyncio, Case, Threads
from .figures import Part
from .rivals import LeftOut, environment
from .setting import Setting

PER_S = 200
SLOTS = 200
CANDIDATES = "candidates: links, worst-case price, tokens"
OWNERS = {
    "worker/providers/selection.py": CANDIDATES,
    "worker/providers/tokens.py": CANDIDATES,
    "worker/providers/vocabularies.py": CANDIDATES,
    "worker/model_catalog.py": CANDIDATES,
    "worker/budgets/": CANDIDATES,
    "worker/providers/caller.py": "the call's price and record",
    "worker/providers/billing.py": "the call's price and record",
    "worker/providers/charges.py": "the call's price and record",
    "worker/providers/": "adapter of the SDK: request and reply",
    "worker/ledger/": "the ledger's trips, client side",
    "producer/contract/ledger/": "the ledger's trips, client side",
    "worker/telemetry/": "records, log, samples",
    "logging/": "records, log, samples",
    "structlog/": "records, log, samples",
    "worker/broker/publishing.py": "the next job's id to the broker",
    "producer/contract/publication.py": "the next job's id to the broker",
    "worker/broker/results.py": "results",
    "worker/broker/outbox.py": "results",
    "celery/backends/": "results",
    "celery/events/": "Celery's events",
    "worker/broker/": "kombu: messages, acknowledgements",
    "kombu/": "kombu: messages, acknowledgements",
    "celery/": "Celery: consumer and tracer",
    "openai/": "SDK and HTTP client",
    "httpx2/": "SDK and HTTP client",
    "httpx_aiohttp/": "SDK and HTTP client",
    "aiohttp/": "SDK and HTTP client",
    "worker/loop/": "event loop, changes between jobs",
    "worker/node/": "steward: leases, recovery",
    "worker/": "our steps: pipeline, cache, outcome",
    "producer/": "our steps: pipeline, cache, outcome",
    "asyncio/": "event loop, changes between jobs",
}
"""Part of a file's path -> what it is for; the first that fits. Other libraries' frames are their
callers'.
"""
OTHER = "the rest"


def measure(setting: Setting, part: Part) -> None:
    jobs = setting.size(500, 200)
    part.how.update(jobs=jobs, in_flight=SLOTS)
    with ExitStack() as stack:
        cases: dict[str, Case] = {}
        try:
            spy = environment("py-spy") / "py-spy"
        except LeftOut as why:
            part.left_out["all"] = str(why)
            return
        for of in (Asyncio, Threads):
            case = of(stack, setting.folder, setting.provider.url(), SLOTS)
            case.start()
            case.run(SLOTS)
            cases[of.pool] = case
        for number in range(setting.rounds):
            for name, case in cases.items():
                setting.step(name, number)
                found = _profiled(str(spy), case, jobs)
                for owner, share in found.items():
                    part.add(owner, {name: share})


def _profiled(spy: str, case: Case, jobs: int) -> dict[str, float]:
    """Owner -> its share, in %, of the samples in which any thread held the GIL."""
    stacks = case.folder / "stacks"
    command = [spy, "record", "--pid", str(case.worker.pid), "--gil", "--rate", str(PER_S)]
    command += ["--format", "raw", "--full-filenames", "--nolineno", "--output", str(stacks)]
    process = subprocess.Popen(tethered(command), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        case.run(jobs)
    finally:
        process.send_signal(subprocess.signal.SIGINT)
        process.communicate(timeout=30)
    return shares(stacks.read_text())


def shares(stacks: str) -> dict[str, float]:
    """Of lines "frame;frame;frame count", the outermost first, each "function (path)"."""
    counts: Counter[str] = Counter()
    for line in stacks.splitlines():
        frames, _, count = line.rpartition(" ")
        counts[owner(frames.split(";"))] += int(count)
    total = sum(counts.values())
    return {name: 100 * count / total for name, count in counts.most_common()}


def owner(frames: list[str]) -> str:
    for frame in reversed(frames):
        path = frame.rpartition("(")[2]
        inner = path.rpartition("site-packages/")[2]
        for piece, name in OWNERS.items():
            if f"/{piece}" in f"/{inner}":
                return name
    return OTHER
