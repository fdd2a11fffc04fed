"""What one job costs the ledger's server: this version beside an older one, interleaved in one run.

    python benchmarks/ledger.py [--rounds 5] [--jobs 2000] [--against 10f8316]

Each round walks the same jobs through a server of its own with the code of either version: submit,
start, cache lookup, reservation, settle, report (that Celery has stored the outcome) and samples.
The older code comes from a `git worktree`. CPU is the server process's own (INFO cpu); microseconds
and commands of each step are from INFO commandstats. All figures are medians over the rounds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
ENTRY = ("EVALSHA", "FCALL")
TEXT = "A question about the harbour. " * 33
MICRO_USD, TOKENS, OUTPUT = 120, 400, 120
REPORTED_AT_ONCE = 20
"""Jobs that end in the two seconds between renewals, at ten a second."""
NO_STEP = {"us": 0.0, "commands": 0.0, "cpu": 0.0}
"""This version looks up in the cache while it reserves."""
Step = tuple[str, Callable[[], None]]


def walk_of_this_version(url: str, jobs: int) -> Iterator[Step]:
    """Each step for all jobs."""
    from producer.contract.completions import Completion, Usage
    from producer.contract.requests import CompletionRequest
    from producer.contract.submission import Submission
    from worker.budgets.quota import Quota
    from worker.cache import Cache
    from worker.ledger.attempt import Attempt, Bill, Candidate
    from worker.ledger.connection import Keys, connect
    from worker.ledger.fleet_limits import FleetLimits
    from worker.ledger.ledger import Ledger
    from worker.settings import CacheSettings, CallSettings, LedgerSettings, Link, QuotaSettings
    from worker.telemetry.metrics import Metrics

    redis, keys = connect(url), Keys()
    limits = FleetLimits.of(QuotaSettings())
    ledger = Ledger(redis, keys, LedgerSettings(), "bench", limits=limits)
    link = Link(provider="openai", model="gpt-4o-mini", adapter="simulator")
    cache = Cache(CacheSettings(), CallSettings(), (link,), "fast")
    quota = Quota(ledger, QuotaSettings())
    ledger.heartbeat("bench", 2 * jobs, 3600)
    ids = [f"job-{number}" for number in range(jobs)]
    running: dict[str, Any] = {}
    attempts = {job_id: Attempt() for job_id in ids}

    def submit() -> None:
        for number, job_id in enumerate(ids):
            request = CompletionRequest.checked(**_asked(number))
            ledger.submit(Submission(job_id, f"user-{number % 50}", request, {}))

    def start() -> None:
        running.update({job_id: ledger.start(job_id) for job_id in ids})

    def reserve() -> None:
        """The cache lookup with it."""
        candidate = Candidate(link, 1000, 10 * MICRO_USD, 4 * TOKENS)
        for job_id in ids:
            job, attempt = running[job_id], attempts[job_id]
            quota.take_hold(job, attempt, [candidate], cache.question(job))
            attempt.billed(Bill("real", MICRO_USD, TOKENS, OUTPUT))

    def settle() -> None:
        for job_id in ids:
            job, attempt = running[job_id], attempts[job_id]
            answer = Completion(
                **_answer(job_id), usage=Usage(input=TOKENS - OUTPUT, output=OUTPUT)
            )
            attempt.cache_entry = cache.entry_for(job, attempt.place, answer)
            attempt.samples = tuple(_samples(Metrics))
            ledger.settle(job, attempt, answer)

    def report() -> None:
        """With the renewal of leases, here of 16 that run: all that ended since the last one."""
        for start in range(0, jobs, REPORTED_AT_ONCE):
            known = dict.fromkeys(ids[start : start + REPORTED_AT_ONCE], True)
            ledger.renew([(ids[0], 1)] * 16, known)

    yield from (("submit", submit), ("start", start), ("reserve", reserve))
    yield from (("settle", settle), ("report", report))


def walk_of_10f8316(url: str, jobs: int) -> Iterator[Step]:
    """The same with that commit's names."""
    from worker.job import Bill, Candidate
    from worker.jobs import Jobs
    from worker.observe.metrics import Metrics
    from worker.quota import Quota
    from worker.store import Keys, connect

    from producer.contract.messages import Completion, CompletionRequest, Usage
    from producer.contract.submission import Submission
    from worker.cache import Cache
    from worker.settings import CacheSettings, CallSettings, LedgerSettings, Link, QuotaSettings

    redis, keys = connect(url), Keys()
    ledger = Jobs(redis, keys, LedgerSettings(), "bench")
    link = Link(provider="openai", model="gpt-4o-mini", adapter="simulator")
    cache = Cache(redis, keys, CacheSettings(), CallSettings(), (link,), "fast")
    quota, metrics = Quota(ledger, QuotaSettings()), Metrics(redis, keys)
    ledger.beat("bench", 2 * jobs, 3600)
    ids = [f"job-{number}" for number in range(jobs)]
    running: dict[str, Any] = {}

    def submit() -> None:
        for number, job_id in enumerate(ids):
            request = CompletionRequest.checked(**_asked(number))
            ledger.submit(Submission(job_id, f"user-{number % 50}", request, {}))

    def start() -> None:
        running.update({job_id: ledger.begin(job_id) for job_id in ids})

    def look_up() -> None:
        for job_id in ids:
            cache.get(running[job_id])

    def reserve() -> None:
        candidate = Candidate(link, 1000, 10 * MICRO_USD, 4 * TOKENS)
        for job_id in ids:
            quota.reserve(running[job_id], [candidate])
            running[job_id].bill = Bill("real", MICRO_USD, TOKENS, OUTPUT)

    def settle() -> None:
        for job_id in ids:
            job = running[job_id]
            answer = Completion(
                **_answer(job_id), usage=Usage(input=TOKENS - OUTPUT, output=OUTPUT)
            )
            cache.put(job, answer)
            ledger.settle(job, answer)

    def report() -> None:
        """In two trips: that the outcome is reported, and the samples."""
        for job_id in ids:
            ledger.tell(job_id)
            metrics.add(_samples(metrics))

    yield from (("submit", submit), ("start", start), ("look up", look_up))
    yield from (("reserve", reserve), ("settle", settle), ("report", report))


def _asked(number: int) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": f"{number}: {TEXT}"}],
        "temperature": 0,
    }


def _answer(job_id: str) -> dict[str, Any]:
    return {
        "text": TEXT[:600],
        "finish_reason": "stop",
        "model": "gpt-4o-mini",
        "provider": "openai",
        "cost_usd": MICRO_USD / 1e6,
        "attempts": 1,
        "latency_ms": 300,
        "request_id": job_id,
    }


def _samples(metrics: Any) -> list[str]:
    call = metrics.call_ended("interactive", "openai", "gpt-4o-mini", "ok", 300)
    return [*call, *metrics.job_ended("interactive", "openai", "gpt-4o-mini", 20, 330)]


WALKS = {"now": walk_of_this_version, "then": walk_of_10f8316}


def walk(version: str, jobs: int) -> None:
    """In a process of its own, with that version's packages on the path: the figures as JSON."""
    from redis import Redis

    from worker.embedded import EmbeddedValkey

    with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder)) as server:
        watch = Redis.from_url(server.url(), decode_responses=True)
        steps: dict[str, Any] = {}
        cpu = 0.0
        for name, step in WALKS[version](server.url(), jobs):
            watch.config_resetstat()
            before = _cpu_s(watch)
            step()
            used = _cpu_s(watch) - before
            cpu += used
            steps[name] = _step(watch.info("commandstats"), jobs) | {"cpu": used / jobs * 1e6}
        watch.close()
    print(json.dumps({"cpu_us": cpu / jobs * 1e6, "steps": steps}))


def _cpu_s(server: Any) -> float:
    used = server.info("cpu")
    return float(used["used_cpu_user_main_thread"] + used["used_cpu_sys_main_thread"])


def _step(stats: dict[str, Any], jobs: int) -> dict[str, float]:
    own = {name.removeprefix("cmdstat_").upper(): figures for name, figures in stats.items()}
    entry = sum(own[name]["usec"] for name in ENTRY if name in own)
    foreign = {*ENTRY, "INFO", "CONFIG|RESETSTAT"}
    inner = sum(figures["calls"] for name, figures in own.items() if name not in foreign)
    return {"us": entry / jobs, "commands": inner / jobs}


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """That commit's files in a folder of their own."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "then"
        command = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*command, "add", "--detach", "-q", str(place), commit], check=True)
        try:
            yield place
        finally:
            subprocess.run([*command, "remove", "--force", str(place)], check=True)


def measured(place: Path, version: str, jobs: int) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "benchmarks/ledger.py"), "--walk", version]
    done = subprocess.run(
        [*command, "--jobs", str(jobs)],
        env={"PYTHONPATH": str(place), "PATH": "/usr/bin:/bin"},
        cwd=place,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def report(rounds: dict[str, list[dict[str, Any]]]) -> None:
    cpu = {version: median(each["cpu_us"] for each in found) for version, found in rounds.items()}
    print(
        f"{'step':<10}{'us now':>8}{'then':>8}{'ratio':>8}{'commands now':>15}{'then':>8}"
        f"{'CPU us now':>13}{'then':>8}"
    )
    for step in rounds["then"][0]["steps"]:
        figures = {
            (version, what): median(each["steps"].get(step, NO_STEP)[what] for each in found)
            for version, found in rounds.items()
            for what in ("us", "commands", "cpu")
        }
        now, then = figures["now", "us"], figures["then", "us"]
        print(
            f"{step:<10}{now:>8.0f}{then:>8.0f}{now / then:>8.2f}"
            f"{figures['now', 'commands']:>15.1f}{figures['then', 'commands']:>8.1f}"
            f"{figures['now', 'cpu']:>13.0f}{figures['then', 'cpu']:>8.0f}"
        )
    ratios = [
        now["cpu_us"] / then["cpu_us"]
        for now, then in zip(rounds["now"], rounds["then"], strict=True)
    ]
    print(
        f"server CPU per job: {cpu['now']:.0f} us now, {cpu['then']:.0f} then; ratio by round "
        f"{min(ratios):.2f} to {max(ratios):.2f}, median {median(ratios):.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--against", default="10f8316", help="a commit with that one's names")
    parser.add_argument("--walk", choices=list(WALKS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.walk:
        walk(given.walk, given.jobs)
        return
    rounds: dict[str, list[dict[str, Any]]] = {"now": [], "then": []}
    with checkout(given.against) as place:
        for _ in range(given.rounds):
            rounds["now"].append(measured(ROOT, "now", given.jobs))
            rounds["then"].append(measured(place, "then", given.jobs))
    report(rounds)


if __name__ == "__main__":
    main()
