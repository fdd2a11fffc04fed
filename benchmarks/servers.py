"""What a job takes of each Redis server: CPU of all three, and memory of the ledger.

    python benchmarks/servers.py [--jobs 3000]

Three servers, one real worker, the simulator without latency, requests of about 1 KB. CPU is the
server process's own (INFO cpu: commands, network and append-only file), as a multiple of what one
SET of 1 KB by a client takes of the same kind of server in the same run. Memory is `used_memory`
per job while jobs wait, and when they have ended; of the worker, its resident set at the end.
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import psutil
from redis import Redis

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.ledger import KEYS, until
from support.nodes import WorkerProcess

import producer
from benchmarks.performance.cases import KB, served_s, set_ms
from worker.embedded import EmbeddedValkey

ROLES = {
    "broker": "CELERY_BROKER_URL",
    "result backend": "CELERY_RESULT_BACKEND",
    "ledger": "LEDGER_URL",
}
CONCURRENCY = 16


def memory(server: Redis) -> int:
    return server.info("memory")["used_memory"]


def run(jobs: int, folder: Path, stack: ExitStack) -> None:
    servers = {
        role: stack.enter_context(EmbeddedValkey(folder / role.replace(" ", "-"))) for role in ROLES
    }
    clients = {
        role: Redis.from_url(server.url(), decode_responses=True)
        for role, server in servers.items()
    }
    unit_ms = {role: set_ms(client) for role, client in clients.items()}
    where = {ROLES[role]: server.url() for role, server in servers.items()}
    producer.configure(
        broker_url=where["CELERY_BROKER_URL"],
        backend_url=where["CELERY_RESULT_BACKEND"],
        ledger_url=where["LEDGER_URL"],
    )
    env = where | {
        "LLM_CHAIN": "simulator:sim-small",
        "LLM_LINK_SIMULATOR_OPTIONS": "latency_ms=0",
        "LLM_USER_TOKENS_PER_HOUR": "1000000000",
        "LLM_LOG_LEVEL": "WARNING",
    }
    worker = WorkerProcess(env, "threads", CONCURRENCY, "bench", folder / "worker.log")
    stack.callback(worker.kill)
    ledger, empty = clients["ledger"], memory(clients["ledger"])
    before = {role: served_s(client) for role, client in clients.items()}
    ask = [[{"role": "user", "content": f"{KB}{n}"}] for n in range(jobs)]
    for user in range(10):
        producer.complete.many(ask[user::10], f"user{user}")
    waiting = (memory(ledger) - empty) / jobs
    worker.start()
    until(lambda: int(ledger.hget(KEYS.totals, "n|done") or 0) >= jobs, 600)
    until(
        lambda: (
            sum(1 for _ in clients["result backend"].scan_iter("celery-task-meta-*", count=10_000))
            >= jobs
        ),
        60,
    )
    print(f"{jobs:,} jobs, SET of {len(KB):,} bytes = 1")
    for role, client in clients.items():
        used_ms = (served_s(client) - before[role]) / jobs * 1000
        print(f"  CPU per job, {role:14}  {used_ms / unit_ms[role]:6.1f}")
    print(
        f"  ledger memory per waiting job: {waiting:,.0f} bytes, of which the request {len(KB):,}"
    )
    print(f"  ledger memory per ended job:   {(memory(ledger) - empty) / jobs:,.0f} bytes")
    worker_bytes = psutil.Process(worker.pid).memory_info().rss
    print(f"  worker, {CONCURRENCY} threads:           {worker_bytes / 2**20:,.0f} MiB")
    print(f"  results memory per ended job:  {memory(clients['result backend']) / jobs:,.0f} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=3_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        run(given.jobs, Path(folder), stack)


if __name__ == "__main__":
    main()
