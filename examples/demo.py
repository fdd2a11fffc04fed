"""The main job on real input, on a private fleet, in under a minute. `make demo` runs it.

Questions come from `questions.json`, documents from `documents/`. Providers are simulated unless
--real is given.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from stack import FOLDER, Stack

import producer
from producer import Completion, JobError, complete, errors

HERE = Path(__file__).parent
REAL_CAP_USD = 0.05
WAIT_S = 60.0


class Mode(NamedTuple):
    """What differs between simulated and real providers."""

    title: str
    env: dict[str, str]
    ordinary: dict[str, Any]
    """Options of a job that should simply be answered."""
    failing: str
    """Put before a question whose first link must fail."""


LIMITS = {
    "LLM_MAX_COST_PER_REQUEST": "0.02",
    "LLM_USER_REQUESTS_PER_MINUTE": "5",
    "LLM_COOLDOWN_SECONDS": "3",
}

SIMULATED = Mode(
    "simulated providers, no money is spent",
    LIMITS
    | {
        "LLM_CHAIN": "primary:sim-large,fallback:sim-small",
        "LLM_LINK_PRIMARY_ADAPTER": "simulator",
        "LLM_LINK_PRIMARY_OPTIONS": "latency_ms=200-900",
        "LLM_LINK_FALLBACK_ADAPTER": "simulator",
        "LLM_LINK_FALLBACK_OPTIONS": "latency_ms=100-300",
        "LLM_PRICES": "primary:*=2.50/10,fallback:*=0.15/0.60",
    },
    {},
    "[[sim:fault=overloaded;link=sim-large]] ",
)
REAL = Mode(
    f"REAL money: OpenAI's gpt-4o-mini, at most ${REAL_CAP_USD:.2f} today",
    LIMITS
    | {
        "LLM_CHAIN": "outage:gpt-4o-mini,openai:gpt-4o-mini",
        "LLM_LINK_OUTAGE_BASE_URL": "http://127.0.0.1:9/v1",  # the discard port: no server
        "LLM_PRICES": "outage:*=0.15/0.60",
        "LLM_USD_PER_DAY": str(REAL_CAP_USD),
    },
    {"model": "openai:gpt-4o-mini"},
    "",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", action="store_true", help="leave the fleet running until Ctrl-C")
    parser.add_argument(
        "--real", action="store_true", help=f"use OPENAI_API_KEY and spend at most ${REAL_CAP_USD}"
    )
    given = parser.parse_args()
    mode = REAL if given.real else SIMULATED
    if given.real and not os.environ.get("OPENAI_API_KEY"):
        sys.exit("REAL=1 needs a key. Fix: export OPENAI_API_KEY=...")
    # Also SIGINT: a shell starts background jobs with it ignored.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    print(f"celery-completions demo: {mode.title}\n", flush=True)
    try:
        with Stack(mode.env) as stack:
            show(stack, mode)
            if given.keep:
                keep(stack)
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
        sys.exit(130)


def show(stack: Stack, mode: Mode) -> None:
    """All scenes. Exits with 1 if one did not come out as announced."""
    producer.configure(stack.valkey.url())
    login = stack.flower_login.replace(":", ", password ")
    print(f"  valkey  {stack.valkey.url()}, data and logs in {FOLDER.name}/")
    print("  worker  celery -A worker worker, 8 threads")
    print(f"  flower  {stack.flower_url}  user {login}")
    with Retries():
        scenes = [
            questions(mode),
            repeated(mode),
            fallback(mode),
            rate_limit(mode),
            cost_cap(mode),
            documents(mode),
        ]
    totals(stack, [completion for scene in scenes for completion in scene])


class Retries:
    """Prints each retry after a failed call, as Celery's events tell it to Flower too."""

    shown = threading.Event()

    def __enter__(self) -> None:
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        self._listening.wait(5)

    def __exit__(self, *_: object) -> None:
        self._receiver.should_stop = True
        self._thread.join(3)

    def _listen(self) -> None:
        """In one go: what is said between two captures, nobody hears."""
        app = complete.app
        with app.connection_for_read() as connection:
            handlers = {"task-retried": self._show}
            self._receiver = app.events.Receiver(connection, handlers=handlers)
            self._receiver.on_consume_ready = lambda *_, **__: self._listening.set()
            self._receiver.capture(limit=None, timeout=None, wakeup=False)

    def _show(self, event: dict[str, Any]) -> None:
        # A job that waits for another one's hold is no provider's failure.
        if "waiting for" not in event["exception"]:
            print(f"  RETRY   {event['exception']}", flush=True)
            self.shown.set()


def questions(mode: Mode) -> list[Completion]:
    title("Six questions of three users, printed as the answers arrive")
    options = {"temperature": 0, "max_tokens": 200, **mode.ordinary}
    waiting = []
    for each in json.loads((HERE / "questions.json").read_text()):
        job = complete.delay(ask(each["question"]), each["user"], **options)
        waiting.append((each["user"], job))
    done = []
    while waiting:
        for user, job in [one for one in waiting if one[1].progress().state in ("done", "failed")]:
            waiting.remove((user, job))
            done.append(answered(user, job))
        time.sleep(0.02)
    return done


def repeated(mode: Mode) -> list[Completion]:
    title("A question that was asked before: answered from the cache, at no cost")
    question = json.loads((HERE / "questions.json").read_text())[0]["question"]
    job = complete.delay(ask(question), "alan", temperature=0, max_tokens=200, **mode.ordinary)
    return [answered("alan", job)]


def fallback(mode: Mode) -> list[Completion]:
    title("The first provider fails: a visible retry, and the next one answers")
    job = complete.delay(ask(f"{mode.failing}What is a circuit breaker?"), "grace", max_tokens=200)
    completion = answered("grace", job)
    Retries.shown.wait(3)  # a worker sends its events once a second
    for link, fault in job.progress().tried:
        print(f"          attempt: {link} {fault or 'answered'}")
    return [completion]


def rate_limit(mode: Mode) -> list[Completion]:
    title("A user at the limit of 5 requests a minute")
    jobs = [
        complete.delay(
            ask(f"Give me synonym number {number} of 'fast'."),
            "greedy",
            max_tokens=50,
            **mode.ordinary,
        )
        for number in range(1, 7)
    ]
    done = []
    for job in jobs:
        try:
            done.append(job.value(WAIT_S))
        except errors.RateLimited as error:
            print(f"  greedy  {len(jobs) - 1} of {len(jobs)} answered, one refused")
            print(f"  RateLimited: {error}")
    expect(len(done) == 5, "five of six answered")
    return done


def cost_cap(mode: Mode) -> list[Completion]:
    title("A job that could cost more than $0.02: refused before any call")
    try:
        complete.delay(
            ask("Write a long novel."), "ada", max_tokens=100_000, **mode.ordinary
        ).value(WAIT_S)
    except errors.BudgetExceeded as error:
        print(f"  ada     BudgetExceeded: {error}")
        return []
    return expect(False, "the cost cap refused") or []


def documents(mode: Mode) -> list[Completion]:
    title("Two documents, summarised by plain jobs")
    jobs = []
    for path in sorted((HERE / "documents").glob("*.md")):
        prompt = f"Summarise this document in three points.\n{path.read_text()}"
        jobs.append((path, complete.delay(ask(prompt), "reader", max_tokens=400, **mode.ordinary)))
    done = []
    for path, job in jobs:
        completion = job.value(WAIT_S)
        print(f"  {path.name} ({len(path.read_text().split()):,} words) {figures(completion)}")
        for line in filter(str.strip, completion.text.splitlines()):
            print(f"    {line[:140]}")
        done.append(completion)
    return done


def totals(stack: Stack, done: list[Completion]) -> None:
    title("Totals")
    tokens = sum(each.usage.input + each.usage.output for each in done if not each.cached)
    cost = sum(each.cost_usd for each in done)
    from_cache = sum(each.cached for each in done)
    print(
        f"  {len(done)} answers, {from_cache} from the cache, {tokens:,} tokens, ${cost:.6f}; "
        "2 jobs refused, none lost\n"
    )
    print("\n".join(f"  {line}" for line in stack.completions("stats").splitlines()))
    print(
        f"\n  Flower: {stack.flower_url}  user and password as above  "
        "(gone when the demo ends; make demo KEEP=1 leaves it)"
    )


def keep(stack: Stack) -> None:
    """Wait for Ctrl-C, or for a service that ends by itself."""
    print("\nLeft running until Ctrl-C. In another terminal, in this folder:\n")
    (FOLDER / "env").write_text(
        "".join(f"export {name}='{value}'\n" for name, value in stack.settings.items())
    )
    print(f"  . {FOLDER.name}/env; export PATH=$PWD/.venv/bin:$PATH")
    print('  completions ask "What is Celery?" --user me --temperature 0 --max-tokens 200')
    print("  completions health; completions stats")
    print(f"  tail -f {FOLDER.name}/worker.log", flush=True)
    while not (stack.worker.ended or stack.flower.ended):
        time.sleep(0.5)
    logs = f"{FOLDER.name}/worker.log and {FOLDER.name}/flower.log"
    sys.exit(f"A service ended by itself; see {logs}")


def ask(question: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}]


def answered(user: str, job: Any) -> Completion:
    """Print an answer's one line."""
    try:
        completion: Completion = job.value(WAIT_S)
    except JobError as error:
        sys.exit(f"  {user:<7} {type(error).__name__}: {error}")
    text = " ".join(completion.text.split())
    if len(text) > 61:
        text = f"{text[:58]}..."
    print(f"  {user:<7} {text:<61}  {figures(completion)}", flush=True)
    return completion


def figures(completion: Completion) -> str:
    source = completion.provider
    tokens = f"{completion.usage.input:>5} + {completion.usage.output:<3} tokens"
    if completion.cached:
        source = "cache"
        tokens = ""
    return f"{source:<8} {tokens:<18} ${completion.cost_usd:.6f} {completion.latency_ms:>5} ms"


def title(text: str) -> None:
    print(f"\n{text}", flush=True)


def expect(held: bool, what: str) -> None:
    """The demo shows what is so, or fails."""
    if not held:
        sys.exit(f"The demo expected: {what}")


if __name__ == "__main__":
    main()
