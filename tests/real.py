"""`make real`: the main jobs against a real server with a real, small model (`support/llama.py`).

Prints a line for each thing that is tried; exit code 1 if one did not come out as wanted.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from support.ledger import ask
from support.llama import MODEL, LlamaServer
from support.nodes import WorkerProcess

import producer
from producer import Completion, Job, JobError, complete
from worker.embedded import EmbeddedValkey

WAIT_S = 240.0
JOBS = 50
DOCUMENT = Path(__file__).parents[1] / "examples" / "documents" / "library-move.md"
GOOD = f"llamacpp:{MODEL}"
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["red", "green", "blue"]}},
    "required": ["colour"],
    "additionalProperties": False,
}


class Failed(Exception):
    """What was seen is not what is wanted."""


class Fleet:
    """One worker with three links: the server, a model that it does not have, and an address
    without an API.
    """

    def __init__(self, folder: Path, server: LlamaServer, valkey: EmbeddedValkey) -> None:
        self.server = server
        self.env = {
            "REDIS_URL": valkey.url(),
            "LLM_CHAIN": f"{GOOD},llamacpp:no-such-model,elsewhere:{MODEL}",
            "LLM_LINK_LLAMACPP_BASE_URL": server.base_url,
            "LLM_LINK_ELSEWHERE_BASE_URL": server.base_url.replace("/v1", "/nothing"),
            "LLM_PRICES": "llamacpp:*=0/0,elsewhere:*=0/0",
            "LLM_TIMEOUT_SECONDS": "120",
            "LLM_MAX_ATTEMPTS": "4",
            "LLM_DOCUMENT_PART_TOKENS": "1500",
            "LLM_DOCUMENT_CONDENSED_TOKENS": "150",
        }
        self.worker = WorkerProcess(self.env, "asyncio", 4, "real", folder / "worker.log")

    def check_live(self) -> str:
        """What `completions check --live` says of the three links."""
        command = [str(Path(sys.executable).with_name("completions")), "check", "--live"]
        done = subprocess.run(
            command, env=self.worker.env, capture_output=True, text=True, timeout=WAIT_S
        )
        answers = [
            line.split(maxsplit=1)[1] for line in done.stdout.splitlines() if "  answer" in line
        ]
        wanted(done.returncode == 1 and len(answers) == 3, done.stdout + done.stderr)
        for answer, said in zip(answers, ("yes", "not have the model", "no API at"), strict=True):
            wanted(said in answer, done.stdout)
        print("\n".join(f"    {line}" for line in done.stdout.splitlines() if line[:2] == "  "))
        return f"{answers.count(answers[0])} of 3 links answers; exit code {done.returncode}"

    def question(self) -> str:
        return answered(asked("Name three colours.", max_tokens=60).value(WAIT_S))

    def document(self) -> str:
        text = DOCUMENT.read_text()
        job = producer.summarize.delay(
            text, "real", max_tokens=120, model=GOOD, on_truncation="accept"
        )
        return f"{len(text.split()):,} words: {answered(job.value(WAIT_S))}"

    def schema(self) -> str:
        shape = {"name": "colour", "schema": SCHEMA, "strict": True}
        done = asked(
            "Which colour has the sky? Answer as JSON.",
            max_tokens=60,
            response_format={"type": "json_schema", "json_schema": shape},
        ).value(WAIT_S)
        wanted(json.loads(done.text)["colour"] in ("red", "green", "blue"), done.text)
        return answered(done)

    def wrong_model(self) -> str:
        return refused("llamacpp:no-such-model", "400")

    def wrong_url(self) -> str:
        return refused(f"elsewhere:{MODEL}", "404")

    def server_killed(self) -> str:
        """Every job is answered; a call that was on the wire is paid for twice at most."""
        jobs = [asked(f"Say the number {number}.", max_tokens=8) for number in range(JOBS)]
        jobs[9].value(WAIT_S)
        self.server.kill()
        left = sum(job.progress().state not in ("done", "failed") for job in jobs)
        time.sleep(3)
        self.server.start()
        answers = [job.value(WAIT_S) for job in jobs]
        again = sum(answer.attempts > 1 for answer in answers)
        wanted(left > 0, "the server was killed too late")
        return (
            f"{len(answers)} of {JOBS} answered, {left} after the kill, {again} by another attempt"
        )


def answered(answer: Completion) -> str:
    wanted(bool(answer.text.strip()) and answer.usage.output > 0, repr(answer))
    text = " ".join(answer.text.split())[:60]
    return f"{answer.usage.input} + {answer.usage.output} tokens: {text}"


def asked(text: str, model: str = GOOD, **options: Any) -> Job:
    """So small a model hardly ever ends by itself: an answer that is cut is one."""
    job: Job = complete.delay(ask(text), "real", model=model, on_truncation="accept", **options)
    return job


def refused(link: str, said: str) -> str:
    """The error of a job that only this link may answer, which must say so."""
    try:
        asked("Hi.", link, max_tokens=8, deadline_s=100).value(WAIT_S)
    except JobError as error:
        text = f"{type(error).__name__}: {error}"
        wanted(said in text, text)
        return text
    raise Failed(f"{link} answered")


def wanted(held: bool, seen: str) -> None:
    if not held:
        raise Failed(seen)


def tried(name: str, scene: Callable[[], str]) -> bool:
    began = time.monotonic()
    try:
        verdict, seen = "ok", scene()
    except (Failed, JobError, TimeoutError) as error:
        verdict, seen = "FAILED", f"{type(error).__name__}: {error}"
    print(f"{verdict:<6}  {name:<14}  {time.monotonic() - began:5.1f} s  {seen}", flush=True)
    return verdict == "ok"


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        LlamaServer(Path(folder)) as server,
        EmbeddedValkey(Path(folder) / "valkey") as valkey,
    ):
        producer.configure(valkey.url())
        fleet = Fleet(Path(folder), server, valkey)
        fleet.worker.start()
        try:
            fleet.worker.wait_ready()
            scenes = {
                "check --live": fleet.check_live,
                "question": fleet.question,
                "document": fleet.document,
                "JSON by schema": fleet.schema,
                "wrong model": fleet.wrong_model,
                "wrong URL": fleet.wrong_url,
                "server killed": fleet.server_killed,
            }
            held = [tried(name, scene) for name, scene in scenes.items()]
        finally:
            fleet.worker.kill()
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
