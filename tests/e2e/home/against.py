"""What other people's projects and servers did to this one at an older commit, and do today.

    python tests/e2e/home/against.py 10f8316 [WORDS OF A SITUATION]

prints a table. Not a test: it waits for minutes, also for what never comes, and asserts nothing.
The tests of each situation are beside it.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[3])]

from support.nodes import ROOT
from support.proxy import Proxy
from support.side import Side

SITUATIONS: dict[str, tuple[Callable[[Side], str], tuple[str, ...]]] = {}
"""Title -> what is done, and options of its server."""
IDLE_S = 25
"""A wall of ten minutes, for those that open anew what was idle for 20 s."""


def situation(title: str, *options: str) -> Callable[..., Callable[[Side], str]]:
    def add(act: Callable[[Side], str]) -> Callable[[Side], str]:
        SITUATIONS[title] = act, options
        return act

    return add


JOBS = """
jobs = [complete.delay(ask(f"question {n}"), f"u{n}") for n in range(%d)]
until = time.monotonic() + %d
print(counted([ended(lambda: job.value(max(0, until - time.monotonic()))) for job in jobs]))
"""


def jobs(count: int, wait_s: int = 60) -> str:
    return JOBS % (count, wait_s)


@situation("SIGTERM to every process, prefork, four calls on the wire")
def stop(side: Side) -> str:
    side.wire.script = lambda request, number: "ok;delay=4"
    first = side.worker(pool="prefork", wired=True)
    web = side.web(jobs(4))
    side.wire.wait_for(lambda calls: len(calls) == 4)
    os.killpg(first.pid, signal.SIGTERM)
    first.wait(30)
    side.worker(wired=True)
    printed, _ = web.communicate(timeout=90)
    return f"{len(side.wire.calls)} calls for 4 jobs: {printed.strip()}"


WALL = """
job = complete.delay(ask("before"), "u")
job.get(timeout=30)
print("idle", flush=True)
sys.stdin.readline()
def got():
    complete.delay(ask("after"), "u").get(timeout=5)
print(counted([ended(got) for _ in range(4)]))
"""


@situation("a wall forgets idle connections, then four `delay` and `get`")
def wall(side: Side) -> str:
    side.worker()
    with Proxy(side.valkey.port) as proxy:
        web = side.web(WALL, REDIS_URL=proxy.url())
        while web.stdout and "idle" not in web.stdout.readline():
            pass
        time.sleep(IDLE_S)
        proxy.forget()
        printed, _ = web.communicate("\n", timeout=90)
    return printed.splitlines()[0]


@situation("two `LEDGER_PREFIX` on one Redis, 30 `get` of each")
def fleets(side: Side) -> str:
    code = """
jobs = [complete.delay(ask(f"question {n}"), "u") for n in range(30)]
print(counted([ended(lambda: job.get(timeout=20)) for job in jobs]))
"""
    for prefix in ("one", "two"):
        side.worker(LEDGER_PREFIX=prefix)
    with ThreadPoolExecutor() as pool:
        ends = pool.map(lambda prefix: side.said(code, LEDGER_PREFIX=prefix), ("one", "two"))
        return "; ".join(ends)


THEIRS = """
import os
from celery import Celery
app = Celery("theirs", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.task_default_queue = "theirs"
@app.task
def question(word):
    return [{"role": "user", "content": word}]
"""


@situation("`theirs.s() | complete.s()`, their app knows nothing of us")
def chain(side: Side) -> str:
    side.write(theirs=THEIRS)
    side.worker()
    theirs = side.worker(app="theirs", pool="solo")
    code = """
from theirs import question
chain = question.s("SECRET") | complete.s(user_id="ann")
print(ended(lambda: chain.apply_async().get(timeout=20)))
"""
    said = side.said(code)
    lines = [line for line in theirs.log().splitlines() if "Task theirs." not in line]
    return f"{said}; prompt in their log: {any('SECRET' in line for line in lines)}"


def begun(worker, *signs: str) -> str:
    """Whether it began, with what of its log."""
    found = [line.strip() for line in worker.log().splitlines() if any(s in line for s in signs)]
    state = "starts" if " ready." in worker.log() else "does not start"
    return ": ".join([state, *dict.fromkeys(found)][:3])


@situation("our worker in a folder with a `celeryconfig.py` of theirs")
def config(side: Side) -> str:
    text = "worker_concurrency = 1\ntask_acks_late = False\ntask_default_queue = 'theirs'\n"
    side.write(celeryconfig=text)
    return begun(side.worker(), "celeryconfig is also", ".> theirs")


@situation("our worker in a folder with a `worker` package of theirs")
def package(side: Side) -> str:
    side.write(worker__celery=THEIRS, worker____init__="")
    return begun(side.worker(), "worker is also", ".> theirs", "Error: ")


@situation("their worker of Celery's default app, where we are installed")
def beside(side: Side) -> str:
    return begun(side.worker(app=None, pool="solo", CELERY_BROKER_URL=side.url), ".> c")


@situation("`-Q completions.interactive`, 40 batch jobs, then 4 questions")
def one_queue(side: Side) -> str:
    side.worker("-Q", "completions.interactive")
    batch = '[complete.delay(ask(f"batch {n}"), "b", lane="batch") for n in range(40)]'
    return side.said(batch + jobs(4, 6))


@situation("`--autoscale=8,2` with threads, 24 jobs")
def autoscale(side: Side) -> str:
    worker = side.worker("--autoscale=8,2")
    if not worker.pid:
        return begun(worker, "--autoscale: ")
    said = side.said(jobs(24, 2))
    return f"{said}; {worker.log().count('QUARANTINED')} times quarantined"


def limited(side: Side, flag: str) -> str:
    side.wire.script = lambda request, number: "ok;delay=4"
    side.worker(flag, pool="prefork", wired=True)
    said = side.said(jobs(4, 120))
    return f"{len(side.wire.calls)} calls for 4 jobs: {said}"


for _flag in ("--soft-time-limit=2", "--time-limit=2"):
    situation(f"`{_flag}`, prefork, four calls of 4 s")(partial(limited, flag=_flag))


@situation("`-f worker.log`, two jobs")
def log(side: Side) -> str:
    worker = side.worker("-f", "own.log", ready=False)
    side.said(jobs(2))
    path = side.folder / "own.log"
    told = path.read_text() if path.exists() else ""
    printed = worker.log().count("job_ended")
    return f"{told.count('job_ended')} ends in the file, {printed} elsewhere"


FORKED = """
import os
complete.delay(ask("before"), "u").get(timeout=20)
ends = []
for child in range(3):
    read, write = os.pipe()
    if not os.fork():
        def got():
            complete.delay(ask("after"), "u").get(timeout=3)
        os.write(write, "\\n".join(ended(got) for _ in range(10)).encode())
        os._exit(0)
    ends.append((read, write))
print(counted([each for read, write in ends for each in os.read(read, 9999).decode().split()]))
"""


@situation("`get` before a fork, 10 `get` in each of three children")
def fork(side: Side) -> str:
    side.worker()
    return side.said(FORKED)


@situation("`REDIS_URL=...?health_check_interval=30`")
def url(side: Side) -> str:
    side.worker()
    code = 'print(ended(lambda: complete.delay(ask("q"), "u").get(timeout=10)))'
    return side.said(code, REDIS_URL=f"{side.url}?health_check_interval=30")


@situation("`CELERY_BROKER_URL` of the host is another Redis, `configure(ours)`")
def host_broker(side: Side) -> str:
    side.worker()
    theirs = side.server().url()
    side.said(f"configure({side.url!r})\n{jobs(5)}", CELERY_BROKER_URL=theirs)
    return f"{len(side.redis(theirs).keys())} keys in their broker"


@situation("`CELERY_BROKER_URL=amqp://...`, `CELERY_RESULT_BACKEND=django-db`")
def amqp(side: Side) -> str:
    side.worker()
    code = f"print(ended(lambda: configure({side.url!r})))\n"
    env = {"CELERY_BROKER_URL": "amqp://rabbit", "CELERY_RESULT_BACKEND": "django-db"}
    return f"`configure(ours)`: {side.said(code, **env)}; jobs: {side.said(code + jobs(2), **env)}"


@situation("a plan of 30 connections, a default worker, 60 jobs", "--maxclients", "30")
def connections(side: Side) -> str:
    side.worker(slots=16)
    web = side.web(jobs(60, 40))
    most = 0
    while web.poll() is None:
        with suppress(Exception):
            most = max(most, len(side.redis().client_list()))
        time.sleep(0.3)
    printed = web.stdout.read().strip().splitlines() if web.stdout else [""]
    return f"{printed[-1]}; at most {most} connections"


@situation("`CONFIG` renamed", "--rename-command", "CONFIG", "")
def renamed(side: Side) -> str:
    worker = side.worker()
    return f"{begun(worker, 'UNSAFE', 'CONFIG')}; {side.said(jobs(2, 10))}"


EVICTING = ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")


@situation("a server that evicts jobs", *EVICTING)
def evicting(side: Side) -> str:
    return begun(side.worker(), "allkeys-lru", "UNSAFE")


@situation("`LLM_CHAIN=simulator:s` beside `OPENAI_APIKEY`")
def simulator(side: Side) -> str:
    return begun(side.worker(OPENAI_APIKEY="sk-x"), "OPENAI_APIKEY")


@situation("keys in `.env`, no chain")
def env_file(side: Side) -> str:
    base = f"OPENAI_API_KEY=sk-x\nOPENAI_BASE_URL={side.wire.base_url}\n"
    (side.folder / ".env").write_text(base + "LLM_CHAIN=openai:gpt-4o-mini\n")
    side.worker(LLM_CHAIN=None)
    said = side.said(jobs(2, 10))
    return f"{said}, {len(side.wire.calls)} calls of the provider"


def seen(title: str, root: Path) -> str:
    act, options = SITUATIONS[title]
    try:
        with Side(root, options) as side:
            return act(side)
    except (Exception, subprocess.TimeoutExpired) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def main(commit: str, words: str = "") -> None:
    with TemporaryDirectory() as folder:
        command = 'git -C "$0" archive "$1" | tar x -C "$2"'
        subprocess.run(["sh", "-c", command, ROOT, commit, folder], check=True)
        print(f"| situation | {commit} | today |\n|---|---|---|")
        for title in SITUATIONS:
            if words in title:
                then, now = seen(title, Path(folder)), seen(title, ROOT)
                print(f"| {title} | {then} | {now} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
