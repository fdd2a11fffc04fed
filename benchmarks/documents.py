"""Does a folder of any size go through a Redis of little memory, and how soon is the first summary?

    python benchmarks/documents.py [--documents 1000]

A real worker and a provider on a local socket that answers at once. 100 texts of 500 KB through a
Redis with maxmemory 40 MB; then a folder of mixed documents (text, HTML, mail, PDF), of which every
fourth has ten pages: how many cores reading alone keeps busy (`--list`), time to the first summary
on disk, and the resident set of the command and its readers early and at its highest.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
from redis import Redis

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.made_documents import pdf
from support.nodes import WorkerProcess
from support.wire import WireServer

from worker.embedded import EmbeddedValkey

COMMAND = [sys.executable, "-c", "from producer.cli import main; main()", "summarize"]
MAXMEMORY = "40mb"
WORDS = ("ship", "harbour", "cargo", "crane", "tide", "pilot", "ledger", "quay", "rope", "anchor")


def prose(number: int, characters: int) -> str:
    """Text that is the same for the same number."""
    chance = random.Random(number)
    sentences = [f"Document {number}."]
    length = 0
    while length < characters:
        sentences.append(" ".join(chance.choices(WORDS, k=9)).capitalize() + ".")
        length += len(sentences[-1]) + 1
    return "\n".join(sentences)


def large_texts(folder: Path, count: int) -> None:
    for number in range(count):
        (folder / f"{number}.txt").write_text(prose(number, 500_000))


def mixed(folder: Path, count: int) -> None:
    pages = [prose(number, 2000) for number in range(10)]
    for number in range(count):
        text = prose(number, 5000)
        match number % 4:
            case 0:
                (folder / f"{number}.txt").write_text(text)
            case 1:
                (folder / f"{number}.html").write_text(f"<html><body><p>{text}</p></body></html>")
            case 2:
                headers = f"From: a@b.example\nTo: c@d.example\nSubject: {number}\n\n"
                (folder / f"{number}.eml").write_text(headers + text)
            case _:
                (folder / f"{number}.pdf").write_bytes(pdf([f"Document {number}.", *pages]))


def processor_s(pid: int) -> tuple[float, float]:
    """Seconds of all threads on a processor, and those in which they would have used one."""
    ran = waited = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        on_processor, in_queue, _ = map(int, (thread / "schedstat").read_text().split())
        ran += on_processor
        waited += in_queue
    return ran / 1e9, (ran + waited) / 1e9


class Watched:
    """The command and its children: when it wrote first, and what it took."""

    def __init__(self, folder: Path, url: str, *more: str) -> None:
        self.out = folder.with_name(f"{folder.name}-out")
        env = {"REDIS_URL": url, "PATH": "", "PYTHONPATH": os.pathsep.join(sys.path)}
        words = [str(folder), "--user", "u1", "--yes", "--out", str(self.out), *more]
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [*COMMAND, *words], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self.first_s = 0.0
        self.rss: list[int] = []
        self.cpu_s: dict[int, float] = {}
        self.wanted_s: dict[int, float] = {}

    def look(self) -> None:
        if not self.first_s and next(self.out.glob("*.md"), None):
            self.first_s = time.monotonic() - self.started
        with suppress(psutil.Error, OSError):
            root = psutil.Process(self.process.pid)
            family = [root, *root.children(recursive=True)]
            self.rss.append(sum(each.memory_info().rss for each in family))
            for each in family:
                self.cpu_s[each.pid], self.wanted_s[each.pid] = processor_s(each.pid)

    def run(self) -> None:
        while self.process.poll() is None:
            self.look()
            time.sleep(0.2)
        took_s = time.monotonic() - self.started
        message = self.process.stderr.read().decode().rpartition("\n")[0].rpartition("\n")[2]
        quarter = self.rss[: max(1, len(self.rss) // 4)]
        print(f"  exit {self.process.returncode}: {message}")
        print(f"  first summary after {self.first_s:.1f} s, all after {took_s:.1f} s")
        cpu_s = sum(self.cpu_s.values())
        wanted = sum(self.wanted_s.values()) / took_s
        print(f"  processor time {cpu_s:.1f} s; {wanted:.1f} cores were used or waited for")
        print(f"  RSS at most {max(self.rss) / 2**20:.0f} MiB, ", end="")
        print(f"in the first quarter {max(quarter) / 2**20:.0f} MiB", flush=True)


def run(title: str, make, count: int, maxmemory: str) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        valkey = stack.enter_context(EmbeddedValkey(folder / "valkey"))
        wire = stack.enter_context(WireServer())
        wire.script = lambda request, number: "ok"
        env = {
            "REDIS_URL": valkey.url(),
            "LLM_CHAIN": "openai:gpt-4o-mini",
            "OPENAI_API_KEY": "sk-bench",
            "OPENAI_BASE_URL": wire.base_url,
            "LLM_USER_TOKENS_PER_HOUR": "1000000000",
            "LLM_LOG_LEVEL": "WARNING",
        }
        worker = WorkerProcess(env, "threads", 8, "bench", folder / "worker.log")
        stack.callback(worker.kill)
        worker.start()
        redis = stack.enter_context(Redis.from_url(valkey.url()))
        redis.config_set("maxmemory", maxmemory)
        (folder / "texts").mkdir()
        make(folder / "texts", count)
        print(f"{count:,} {title}", flush=True)
        Watched(folder / "texts", valkey.url(), "--list").run()
        Watched(folder / "texts", valkey.url()).run()
        print(f"  Redis at its highest {redis.info('memory')['used_memory_peak_human']}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=1_000)
    parser.add_argument("--texts", type=int, default=100)
    given = parser.parse_args()
    if given.texts:
        run("texts of 500 KB through a Redis of 40 MB", large_texts, given.texts, MAXMEMORY)
    if given.documents:
        run("documents of four kinds", mixed, given.documents, "0")


if __name__ == "__main__":
    main()
