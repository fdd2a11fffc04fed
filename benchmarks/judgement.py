"""Does one call's bad luck stay its own, and is an outage waited out?

    python benchmarks/judgement.py [disturbances] [death] [outage] [start] [--jobs 400]
        [--seconds 60]

disturbances: two links, 10 jobs/s of ten users, a provider that takes 0.3 s; six disturbances, one
at a time. Shows of the others' jobs how many the dearer link answered, what they cost and how long
they took. death: the first of two links fails, and heals. outage: the only link fails, has no quota
or refuses its key for so many seconds, under 2 jobs/s. Ends with what the ledger and the wire say
of the calls. start: everything from nothing; when the first job's call comes after the worker's
being ready, for a job that waits already and for one that is submitted then.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from statistics import mean, quantiles

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.ledger import ask
from support.nodes import WorkerProcess
from support.wire import WireServer

import producer
from producer.contract.errors import JobError
from worker.embedded import EmbeddedValkey

PER_S = 10.0
OPTIONS = {"max_tokens": 50, "cache": "bypass"}
PARTS = ("disturbances", "death", "outage", "start")
FIRST, SECOND = "openai:gpt-4o-mini", "second:large"


class Fleet:
    """A worker, its ledger and two providers, of which the second is ten times as dear."""

    def __init__(self, first: WireServer, second: WireServer, secrets: Path) -> None:
        self.first = first
        self.second = second
        self.secrets = secrets
        self.worker: WorkerProcess

    def set_key(self, key: str) -> None:
        (self.secrets / "OPENAI_API_KEY").write_text(key)


@contextmanager
def running(
    chain: str, before: Callable[[Fleet], None] | None = None, **settings: str
) -> Iterator[Fleet]:
    """`before`: what happens when the ledger is there, and no worker yet."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        valkey = stack.enter_context(EmbeddedValkey(folder / "valkey"))
        first, second = (stack.enter_context(WireServer()) for _ in range(2))
        first.script = second.script = lambda request, number: "ok;delay=0.3"
        fleet = Fleet(first, second, folder / "secrets")
        fleet.secrets.mkdir()
        fleet.set_key("first-key")
        producer.configure(valkey.url())
        env = {
            "REDIS_URL": valkey.url(),
            "LLM_CHAIN": chain,
            "LLM_SECRETS_DIR": str(fleet.secrets),
            "OPENAI_BASE_URL": first.base_url,
            "LLM_LINK_SECOND_BASE_URL": second.base_url,
            "LLM_PRICES": "openai:*=0.15/0.60,second:*=1.5/6",
            "LLM_USER_TOKENS_PER_HOUR": "1000000000",
            **settings,
        }
        fleet.worker = worker = WorkerProcess(env, "threads", 32, "bench", folder / "worker.log")
        if before:
            before(fleet)
        worker.start()
        stack.callback(worker.kill)
        worker.wait_ready()
        yield fleet


def said(request: dict) -> str:
    return str(request["messages"][-1]["content"])


def steadily(count: int, per_s: float, submit: Callable[[int], None]) -> None:
    """Call `submit` so often, at even distances."""
    began = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number / per_s - time.monotonic()))
        submit(number)


def faulty(event: str, times: int) -> Callable[[dict, int], str]:
    """Only calls whose prompt is marked meet `event`, and only so many."""
    left = [times]

    def script(request: dict, number: int) -> str:
        if "<unlucky>" not in said(request) or not left[0]:
            return "ok;delay=0.3"
        left[0] -= 1
        return event

    return script


def cancel_one() -> None:
    job = producer.complete.delay(ask("cancelled"), "unlucky", **OPTIONS)
    time.sleep(0.2)
    job.cancel()


def unlucky(count: int, **options: object) -> Callable[[], None]:
    def submit() -> None:
        for number in range(count):
            prompt = ask(f"<unlucky> {number}")
            producer.complete.delay(prompt, "unlucky", **OPTIONS | options)

    return submit


DISTURBANCES: dict[str, tuple[str, int, Callable[[], None]]] = {
    "none": ("ok", 0, lambda: None),
    "one 500": ("500", 1, unlucky(1)),
    "two 500s": ("500", 2, unlucky(2)),
    "four timeouts of one user": ("hang", 4, unlucky(4)),
    "one 403": ("403", 1, unlucky(1)),
    "four deadlines of 0.2 s": ("ok", 0, unlucky(4, deadline_s=0.2)),
    "one cancel": ("ok", 0, cancel_one),
}
"""Name -> what happens at the first link, how often, and who meets it."""


def disturb(name: str, count: int) -> tuple[float, float, float]:
    """Share diverted, mean cost in dollars and P95 in ms, of the others' jobs."""
    event, times, begin = DISTURBANCES[name]
    with running(f"{FIRST},{SECOND}", LLM_TIMEOUT_SECONDS="3") as fleet:
        fleet.first.script = faulty(event, times)
        jobs = []

        def submit(number: int) -> None:
            if number == count // 4:
                begin()
            prompt = ask(f"question {number}")
            jobs.append(producer.complete.delay(prompt, f"user{number % 10}", **OPTIONS))

        steadily(count, PER_S, submit)
        answers = [job.value(60) for job in jobs]
    diverted = mean(answer.provider == "second" for answer in answers)
    times_ms = [answer.latency_ms for answer in answers]
    return diverted, mean(answer.cost_usd for answer in answers), quantiles(times_ms, n=20)[-1]


def disturbances(count: int) -> None:
    _, cost, p95 = disturb("none", count)
    print(f"none: ${cost:.6f} a job, P95 {p95:.0f} ms")
    for name in list(DISTURBANCES)[1:]:
        diverted, disturbed_cost, disturbed_p95 = disturb(name, count)
        print(
            f"{name}: {diverted:.1%} diverted, cost x{disturbed_cost / cost:.3f}, "
            f"P95 x{disturbed_p95 / p95:.2f}",
            flush=True,
        )


def death(count: int) -> None:
    """The first link fails for a quarter of the time."""
    with running(f"{FIRST},{SECOND}") as fleet:
        jobs, calls = [], [0, 0]

        def submit(number: int) -> None:
            if number == count // 4:
                fleet.first.script = lambda request, number: "500"
                calls[0] = len(fleet.first.calls)
            if number == count // 2:
                fleet.first.script = lambda request, number: "ok;delay=0.3"
                calls[1] = len(fleet.first.calls)
            prompt = ask(f"question {number}")
            jobs.append(producer.complete.delay(prompt, f"user{number % 10}", **OPTIONS))

        steadily(count, PER_S, submit)
        answers = [job.value(60) for job in jobs]
    back = next(
        n for n, each in enumerate(answers) if n >= count // 2 and each.provider != "second"
    )
    print(
        f"death: {calls[1] - calls[0]} calls reached the dead link in {count / 4 / PER_S:.0f} s; "
        f"no job failed; back {(back - count // 2) / PER_S:.1f} s after it healed"
    )


def outage(event: str, seconds: int) -> None:
    """The only link fails; afterwards the backlog is answered."""
    with running(FIRST) as fleet:
        producer.complete.delay(ask("before"), "user0", **OPTIONS).value(30)
        if event == "revoked key":
            fleet.first.revoked.add("first-key")
        else:
            fleet.first.script = lambda request, number: event
        before, jobs = len(fleet.first.calls), []

        def submit(number: int) -> None:
            prompt = ask(f"question {number}")
            jobs.append(producer.complete.delay(prompt, f"user{number % 10}", **OPTIONS))

        steadily(2 * seconds, 2.0, submit)
        waits_for = next(filter(None, (job.progress().waits_for for job in jobs)), "nothing")
        calls = len(fleet.first.calls) - before
        fleet.set_key("second-key")
        fleet.first.script = lambda request, number: "ok;delay=0.3"
        healed = time.monotonic()
        failed = 0
        for job in jobs:
            try:
                job.value(120)
            except JobError as error:
                failed += 1
                print(f"  {error!s:.200}")
        took = time.monotonic() - healed
        order = [said(call.request) for call in fleet.first.calls if call.billed]
        attempts = 1 + sum(job.progress().attempts for job in jobs)
        seen = len(fleet.first.calls)
    print(
        f"{event} for {seconds} s: {calls} calls reached the provider; "
        f"{failed} of {len(jobs)} jobs failed; all answered {took:.1f} s after, "
        f"{inversions(order)} out of order; "
        f"{attempts} attempts in the ledger, {seen} calls at the wire\n"
        f"  they waited for {waits_for}",
        flush=True,
    )


def inversions(order: list[str]) -> int:
    """How many were answered later than one that came more than a worker's slots after them."""
    numbers = [int(text.removeprefix("question ")) for text in order if text.startswith("q")]
    latest, found = -1, 0
    for number in numbers:
        found += number < latest - 32
        latest = max(latest, number)
    return found


def start(waits: bool) -> None:
    """The server, the worker and the job are all new."""
    called: list[float] = []

    def script(request: dict, number: int) -> str:
        called.append(time.time())
        return "ok"

    def submit(fleet: Fleet) -> None:
        fleet.first.script = script
        producer.complete.delay(ask("first"), "user0", **OPTIONS)

    with running(FIRST, submit if waits else None) as fleet:
        began = ready_at(fleet.worker.log())
        if not waits:
            began = time.time()
            submit(fleet)
        fleet.first.wait_for(len)
    name = "waits already" if waits else "is submitted then"
    print(f"start: a job that {name} is called {called[0] - began:+.2f} s after ready")


def ready_at(log: str) -> float:
    """Seconds of the epoch at which the worker said so."""
    line = next(each for each in log.splitlines() if " ready." in each)
    return datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=PARTS)
    parser.add_argument("--jobs", type=int, default=400)
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    with suppress(KeyboardInterrupt):
        if "disturbances" in given.parts:
            disturbances(given.jobs)
        if "death" in given.parts:
            death(given.jobs)
        if "start" in given.parts:
            start(waits=True)
            start(waits=False)
        if "outage" in given.parts:
            for event in ("500", "quota", "revoked key"):
                outage(event, given.seconds)


if __name__ == "__main__":
    main()
