"""Does a fleet use a provider's rate limit fully without hammering it?

    python benchmarks/pace.py [--jobs 3000] [--tokens 150] [--blind]

A provider that allows 600 requests and 100,000 tokens in any 60 seconds (what a job really takes,
known when it is asked) and refuses the rest with 429; three workers of twenty threads, all jobs at
once. Shows the share of calls refused, and the requests and tokens used after the first minute
against what was allowed. `--tokens`: what a job takes on average; from 167 on tokens are the
bottleneck. `--blind`: neither the provider nor the settings state the limits.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import deque
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.ledger import ask, until
from support.nodes import WorkerProcess
from support.wire import WireServer

import producer
from worker.embedded import EmbeddedValkey

REQUESTS, TOKENS, WINDOW_S = 600, 100_000, 60.0
WORKERS, SLOTS = 3, 20


class Limited:
    """The provider's sliding windows. `answered` is (when, tokens) of every call that passed."""

    def __init__(self, wire: WireServer, tokens: int, blind: bool) -> None:
        self.answered: list[tuple[float, int]] = []
        self.refused: list[float] = []
        self._wire, self._mean, self._blind = wire, tokens, blind
        self._window: deque[tuple[float, int]] = deque()
        self._chance = random.Random(5)

    def __call__(self, request: dict, number: int) -> str:
        now = time.monotonic()
        while self._window and self._window[0][0] <= now - WINDOW_S:
            self._window.popleft()
        used = sum(tokens for _, tokens in self._window)
        took = round(self._mean * self._chance.uniform(0.5, 1.5))
        fits = len(self._window) < REQUESTS and used + took <= TOKENS
        if fits:
            self._window.append((now, took))
            self.answered.append((now, took))
        else:
            self.refused.append(now)
        if not self._blind:
            self._wire.headers = {
                "x-ratelimit-limit-requests": str(REQUESTS),
                "x-ratelimit-remaining-requests": str(REQUESTS - len(self._window)),
                "x-ratelimit-limit-tokens": str(TOKENS),
                "x-ratelimit-remaining-tokens": str(max(0, TOKENS - used - took * fits)),
            }
        prompt = took // 3
        return (
            f"ok;delay={self._chance.uniform(0.4, 1.2):.2f};in={prompt};out={took - prompt}"
            if fits
            else "429"
        )


def run(jobs: int, tokens: int, blind: bool) -> Limited:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        valkey = stack.enter_context(EmbeddedValkey(folder / "valkey"))
        wire = stack.enter_context(WireServer())
        provider = wire.script = Limited(wire, tokens, blind)
        producer.configure(valkey.url())
        env = {
            "REDIS_URL": valkey.url(),
            "LLM_CHAIN": "openai:gpt-4o-mini",
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": wire.base_url,
            "LLM_USER_TOKENS_PER_HOUR": "1000000000",
            "LLM_MAX_ATTEMPTS": "100",
            "LLM_DEADLINE_SECONDS": "3600",
        }
        for number in range(WORKERS):
            worker = WorkerProcess(
                env, "threads", SLOTS, f"bench{number}", folder / f"worker{number}.log"
            )
            worker.start()
            stack.callback(worker.kill)
            worker.wait_ready()
        producer.complete.many([ask(f"question {n}") for n in range(jobs)], "u1")
        shown = 0

        def done() -> bool:
            nonlocal shown
            if len(provider.answered) // 500 > shown:
                shown = len(provider.answered) // 500
                print(
                    f"  {len(provider.answered):,} answered, {len(provider.refused):,} refused",
                    flush=True,
                )
            return len(provider.answered) >= jobs

        until(done, timeout_s=3 * 60 * max(jobs / REQUESTS, jobs * tokens / TOKENS) + 120)
        return provider


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=3000)
    parser.add_argument("--tokens", type=int, default=150)
    parser.add_argument("--blind", action="store_true")
    given = parser.parse_args()
    provider = run(given.jobs, given.tokens, given.blind)
    begun = provider.answered[0][0] + WINDOW_S
    ended = provider.answered[-1][0]
    later = [tokens for at, tokens in provider.answered if at >= begun]
    minutes = (ended - begun) / 60
    calls = len(provider.answered) + len(provider.refused)
    print(f"{calls:,} calls, {len(provider.refused) / calls:.2%} refused (1 % allowed)")
    requests = len(later) / minutes / REQUESTS
    tokens = sum(later) / minutes / TOKENS
    print(
        f"used after the first minute ({minutes:.1f} min): "
        f"{requests:.1%} of the requests, {tokens:.1%} of the tokens"
    )
    print(f"the tighter one: {max(requests, tokens):.1%} (95 % wanted)")


if __name__ == "__main__":
    main()
