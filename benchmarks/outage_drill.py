"""What users are told, and what the books say, when a provider is out at four price classes.

    python benchmarks/outage_drill.py [--users 200] [--seconds 15]

For so many seconds every call of the first link ends as a 504, which may have been billed, while
200 users, each with a limit of two and a half worst cases a day, ask a question. Once without
another link and once with one that is well. Then the provider is itself again.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.ledger import LedgerProbe, ask
from support.nodes import WorkerProcess
from support.wire import WireServer

import producer
from producer.contract.errors import JobError
from worker.embedded import EmbeddedValkey

CLASSES = {"nano": (0.1, 0.4), "mini": (0.15, 0.6), "gpt-4o": (2.5, 10.0), "pro": (15.0, 120.0)}
"""Dollars per million tokens: input, output."""
MAX_TOKENS = 1000
WELL = "ok;delay=0.3"
CHAINS = {"alone": "openai:m", "with a fallback": "openai:m,second:m"}


@contextmanager
def running(name: str, chain: str) -> Iterator[tuple[WireServer, str]]:
    """The first provider, which is out, and where the ledger is."""
    price = "{}/{}".format(*CLASSES[name])
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        valkey = stack.enter_context(EmbeddedValkey(folder / "valkey"))
        first, second = (stack.enter_context(WireServer()) for _ in range(2))
        first.script = lambda request, number: "504"
        second.script = lambda request, number: WELL
        env = {
            "REDIS_URL": valkey.url(),
            "LLM_CHAIN": CHAINS[chain],
            "OPENAI_API_KEY": "key",
            "OPENAI_BASE_URL": first.base_url,
            "LLM_LINK_SECOND_BASE_URL": second.base_url,
            "LLM_PRICES": f"openai:*={price},second:*={price}",
            "LLM_MAX_COST_PER_REQUEST": "1",
            "LLM_USER_USD_PER_DAY": f"{2.5 * answer_usd(name):f}",
        }
        producer.configure(valkey.url())
        worker = WorkerProcess(env, "threads", 32, "bench", folder / "worker.log")
        worker.start()
        stack.callback(worker.kill)
        worker.wait_ready()
        yield first, valkey.url()


def answer_usd(name: str) -> float:
    """Of an answer as long as it may be."""
    return CLASSES[name][1] * MAX_TOKENS / 1e6


def ask_all(users: int, seconds: int) -> list[Any]:
    """One question of each, at even distances."""
    began = time.monotonic()
    jobs = []
    for number in range(users):
        time.sleep(max(0.0, began + number * seconds / users - time.monotonic()))
        options = {"max_tokens": MAX_TOKENS, "cache": "bypass"}
        prompt = ask(f"question {number:05}")
        jobs.append(producer.complete.delay(prompt, f"user-{number:05}", **options))
    return jobs


def errors_of(jobs: list[Any]) -> Counter[str]:
    told: Counter[str] = Counter()
    for job in jobs:
        try:
            job.value(120)
        except JobError as error:
            told[type(error).__name__] += 1
    return told


def drill(name: str, chain: str, users: int, seconds: int) -> None:
    with running(name, chain) as (first, url):
        jobs = ask_all(users, seconds)
        first.script = lambda request, number: WELL
        healed = time.monotonic()
        told = errors_of(jobs)
        took_s = time.monotonic() - healed
        failed = sum(not call.billed for call in first.calls)
        by_jobs = sum(job.progress().maybe_billed_usd for job in jobs)
        with LedgerProbe(url) as ledger:
            fleet_usd = ledger.counter("maybe_billed_micro") / 1e6
    answers = fleet_usd / max(failed, 1) / answer_usd(name)
    print(
        f"{name} {chain}: {users - told.total()} of {users} answered, the last {took_s:.1f} s "
        f"after the recovery; errors: {dict(told) or 'none'}; {failed} calls failed; possibly "
        f"billed ${fleet_usd:.6f} by the fleet's books, ${by_jobs:.6f} by the jobs', for each "
        f"failed call {answers:.3f} longest answers",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=15)
    given = parser.parse_args()
    with suppress(KeyboardInterrupt):
        for name in CLASSES:
            for chain in CHAINS:
                drill(name, chain, given.users, given.seconds)


if __name__ == "__main__":
    main()
