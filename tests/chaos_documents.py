"""A folder of documents is summarised while workers and producer are killed with -9.

    python tests/chaos_documents.py [--documents 1000] [--kills 8] [--seed 1]

Shows that every document is summarised once, that every call on the wire was for something else but
those reported as unknown, and how much memory producer and workers took at most. Exit code 0 if all
is well.
"""

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import psutil
from support.ledger import KEYS, LedgerProbe
from support.nodes import WorkerProcess
from support.wire import WireServer

import producer
from producer.batches import recent
from worker.embedded import EmbeddedValkey

PAGE = 450
"""Words of a page."""
WORDS = (
    "the broker holds a lease on every queue and gives it back "
    "when work is done or lost between two fences of time"
).split()
LIMIT_S = 1200


def write_documents(folder: Path, count: int, chance: random.Random) -> None:
    """Each of 1 to 60 pages, most of them short, no two alike."""
    folder.mkdir()
    for number in range(count):
        pages = min(60, 1 + int(chance.expovariate(1 / 8)))
        paragraphs = (" ".join(chance.choices(WORDS, k=PAGE // 5)) + "." for _ in range(5 * pages))
        (folder / f"{number:05}.txt").write_text(f"Document {number}\n\n" + "\n\n".join(paragraphs))


class Memory:
    """The most that each kind of process took, in MB."""

    def __init__(self) -> None:
        self.most: Counter[str] = Counter()

    def measure(self, kind: str, pid: int) -> None:
        try:
            self.most[kind] = max(self.most[kind], psutil.Process(pid).memory_info().rss >> 20)
        except psutil.Error:
            return


class Run:
    def __init__(self, stack: ExitStack, folder: Path, given: argparse.Namespace) -> None:
        self.folder = folder
        self.chance = random.Random(given.seed)
        self.memory = Memory()
        self.valkey = stack.enter_context(EmbeddedValkey(folder / "valkey"))
        self.wire = stack.enter_context(WireServer())
        self.wire.script = lambda request, number: f"ok;delay={self.chance.uniform(0.05, 0.4):.2f}"
        producer.configure(self.valkey.url())
        self.env = {
            "REDIS_URL": self.valkey.url(),
            "LLM_CHAIN": "openai:gpt-4o-mini",
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": self.wire.base_url,
            "LLM_USER_TOKENS_PER_HOUR": "1000000000",
            "LLM_USD_PER_DAY": "1000",
            "LEDGER_LEASE_SECONDS": "2",
            "LLM_DOCUMENT_PART_TOKENS": "4000",
        }
        write_documents(folder / "docs", given.documents, self.chance)
        self.started = 0
        self.workers = [self.worker(stack) for _ in range(2)]
        self.command = self.producer()

    def worker(self, stack: ExitStack) -> WorkerProcess:
        self.started += 1
        worker = WorkerProcess(
            self.env, "asyncio", 20, f"w{self.started}", self.folder / f"w{self.started}.log"
        )
        worker.start()
        stack.callback(worker.kill)
        worker.wait_ready()
        return worker

    def producer(self) -> subprocess.Popen:
        words = ["summarize", "docs", "--user", "u1", "--yes", "--out", "out.jsonl", "--json"]
        command = [sys.executable, "-c", "from producer.cli import main; main()", *words]
        env = self.env | {"PYTHONPATH": str(ROOT)}
        with (self.folder / "producer.log").open("ab") as log:
            return subprocess.Popen(command, cwd=self.folder, env=env, stdout=log, stderr=log)

    def under_fire(self, stack: ExitStack, documents: int, kills: int) -> None:
        """Kills come at every eighth of the way or so, producer and workers in turn."""
        give_up = time.monotonic() + LIMIT_S
        killed = 0
        while self.command.poll() is None or killed < kills:
            assert time.monotonic() < give_up, "it takes too long"
            self.memory.measure("producer", self.command.pid)
            for worker in self.workers:
                self.memory.measure("worker", worker.pid)
            standing = next(iter(recent(1)), None)
            moved = (standing.ended + standing.submitted) / (2 * documents) if standing else 0.0
            if (
                killed < kills
                and standing
                and not standing.over
                and moved >= killed / (kills + 1)
                and self.wire.concurrent
            ):
                killed += 1
                if killed % 2:
                    self.command.kill()
                    self.command.wait()
                    self.command = self.producer()
                else:
                    self.workers.pop(0).kill()
                    self.workers.append(self.worker(stack))
                print(f"  kill {killed} at {moved:.0%}", flush=True)
            if self.command.poll() is not None and killed < kills:
                print(f"  over after {killed} kills", flush=True)
                return
            time.sleep(0.2)

    def verdict(self, documents: int) -> list[str]:
        wrong = []
        lines = [json.loads(line) for line in (self.folder / "out.jsonl").read_text().splitlines()]
        states = Counter(line["state"] for line in lines)
        asked = Counter(
            hashlib.sha256(json.dumps(call.request["messages"]).encode()).hexdigest()
            for call in self.wire.calls
        )
        repeated = asked.total() - len(asked)
        standing = recent(1)[0]
        with LedgerProbe(self.valkey.url()) as ledger:
            unknown = ledger.counter("unknown_attempts")
            held = ledger.budget("usd", "fleet", "all")["held"]
            # A text that was stored again for an item that had ended goes by itself.
            kept = [
                key
                for key in ledger.redis.scan_iter(f"{KEYS.root}doc*")
                if ledger.redis.ttl(key) < 0
            ]
        print(
            f"{len(lines):,} results: {dict(states)}; {len(self.wire.calls):,} calls, "
            f"{len(asked):,} different, {repeated} repeated, {unknown} unknown attempts reported; "
            f"batch: {standing.done} done, ${standing.cost_usd:.4f}, "
            f"possibly billed ${standing.possibly_billed_usd:.4f}"
        )
        most = self.memory.most
        print(f"memory at most: producer {most['producer']} MB, worker {most['worker']} MB")
        if len(lines) != documents or states != {"done": documents}:
            wrong.append(f"not every document has one summary: {dict(states)}")
        if repeated > unknown:
            wrong.append(f"{repeated} calls repeated, {unknown} reported")
        if held or kept:
            wrong.append(f"held {held}, documents kept {len(kept)}")
        return wrong


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        run = Run(stack, Path(folder), given)
        run.under_fire(stack, given.documents, given.kills)
        wrong = run.verdict(given.documents)
    print("chaos: " + ("; ".join(wrong) or "all well"))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
