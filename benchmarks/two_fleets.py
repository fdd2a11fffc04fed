"""Do two fleets with one server slow each other down, or meet?

Simulated providers are the bottleneck, so that the machine's cores are not.

    python benchmarks/two_fleets.py [--jobs 1000] [--slots 16] [--call 1.0]

Shows jobs per second of one fleet alone; of each of two, whose jobs are submitted at once to the
same server and database; and how many ids of the other fleet their workers met.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.ledger import ask
from support.nodes import WorkerProcess

import producer
from worker.embedded import EmbeddedValkey

FLEETS = ("one", "two")


def submit_and_wait(url: str, prefix: str, jobs: int) -> float:
    """Jobs per second of that fleet; in a process of its own, as a web app would be."""
    producer.configure(url, prefix=prefix)
    started = time.monotonic()
    submitted = producer.complete.many([ask(f"{n} of {prefix}") for n in range(jobs)], "u")
    answers = [job.value(600) for job in submitted]
    assert [each.request_id for each in answers] == [each.id for each in submitted]
    return jobs / (time.monotonic() - started)


def side(url: str, prefix: str, jobs: int) -> "subprocess.Popen[str]":
    command = [sys.executable, __file__, "--side", url, prefix, "--jobs", str(jobs)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def worker_of(prefix: str, url: str, folder: Path, options: argparse.Namespace) -> WorkerProcess:
    env = {
        "REDIS_URL": url,
        "LEDGER_PREFIX": prefix,
        "LLM_CHAIN": "simulator:s",
        "LLM_USER_TOKENS_PER_HOUR": "1000000000",
        "LLM_LINK_SIMULATOR_OPTIONS": f"latency_ms={round(options.call * 1000)}",
    }
    worker = WorkerProcess(env, "threads", options.slots, prefix, folder / f"{prefix}.log")
    worker.start()
    worker.wait_ready()
    return worker


def run(prefixes: tuple[str, ...], options: argparse.Namespace) -> list[float]:
    """Jobs per second of each of these fleets; what their workers met of others is printed."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder) / "v") as valkey:
        url = valkey.url()
        workers = [worker_of(each, url, Path(folder), options) for each in prefixes]
        sides = [side(url, each, options.jobs) for each in prefixes]
        rates = [float(each.communicate()[0]) for each in sides]
        logs = [each.log() for each in workers]
        for each in workers:
            each.kill()
    met = sum(log.count("FOREIGN_IDS") + log.count("QUARANTINED") for log in logs)
    print(f"{' and '.join(prefixes)}: {rates} jobs/s; lines of foreign ids: {met}")
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--call", type=float, default=1.0)
    parser.add_argument("--side", nargs=2, metavar=("URL", "PREFIX"))
    options = parser.parse_args()
    if options.side:
        print(submit_and_wait(*options.side, options.jobs))
        return
    (alone,) = run(FLEETS[:1], options)
    together = run(FLEETS, options)
    print(f"one alone was {alone / min(together):.3f} times as fast as the slower of two")


if __name__ == "__main__":
    main()
