"""What a lookup of a near question costs beside its embedding: in this process, against a private
Valkey, at 5,000 entries of 1,536 numbers and evidence in every bin.

    python benchmarks/semantic_lookup.py

How long hits and misses take through a worker: `semantic_fleet.py`.
"""

import sys
import tempfile
import time
from array import array
from pathlib import Path
from random import Random
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.ledger import KEYS, connection

from worker.embedded import EmbeddedValkey
from worker.ledger.semantic_functions import NearLearn
from worker.semantic.decision import Rule
from worker.semantic.evidence import Observation
from worker.semantic.index import Looked
from worker.semantic.ledger_index import LedgerIndex
from worker.semantic.scope import Scope
from worker.semantic.trial import Trial
from worker.semantic.vectors import packed

ENTRIES = 5_000
SIZE = 1_536
LOOKUPS = 300
MINUTE = 60_000


def vector(seed: object) -> str:
    rng = Random(seed)
    return packed(array("f", [rng.gauss() for _ in range(SIZE)]).tobytes())


def question(number: int) -> Scope:
    polite = "Hello, " * (number % 3)
    text = f"{polite}how do I cancel the order of my mother's new washing machine today?"
    return Scope("scope", "faq -", text, f"content {number}", "default", "")


def filled(own) -> None:
    call = own.functions
    writer = LedgerIndex(call, 0.01)
    for number in range(ENTRIES):
        asked = question(number)
        writer.keep(asked, vector(number % 50), "ann", 100 * MINUTE)
        key = KEYS.cached_entry("0.0", asked.namespace, asked.content)
        own.redis.set(key, "9999999999999;1;;ann;{}")
    for hundredth in range(40, 100):
        for label in ("right", "wrong"):
            fields = Observation(hundredth / 100, "yes", label).fields
            call(NearLearn("scope", "entry", "pair", label=label, items=fields))


def look(index: LedgerIndex, asked: Scope, vector: str) -> Looked:
    known = index.ahead(asked)
    return Looked(index.nearest(asked, vector), *known)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder)) as server:
        own = connection(server.url())
        filled(own)
        index = LedgerIndex(own.functions, 0.01)
        rule = Rule(0.01, judged=True)
        asked = [vector(number) for number in range(50)]
        for number in range(5):
            look(index, question(ENTRIES), asked[number])
        cpu, wall, parts = [], [], []
        for number in range(LOOKUPS):
            began, used = time.perf_counter(), time.process_time()
            looked = look(index, question(ENTRIES + number), asked[number % 50])
            parts.append(time.process_time() - used)
            assert Trial.of(own.functions, question(ENTRIES + number), looked, rule, shadow=False)
            cpu.append(time.process_time() - used)
            wall.append(time.perf_counter() - began)
        own.close()
    print(f"{ENTRIES:,} entries of {SIZE:,} numbers, {LOOKUPS} lookups")
    print(f"CPU of the worker: median {median(cpu) * 1000:.2f} ms a job")
    print(f"  of that the index: {median(parts) * 1000:.2f} ms")
    print(f"time: median {median(wall) * 1000:.2f} ms")


if __name__ == "__main__":
    main()
