"""The audit log: what was sent to providers and what came back, sealed, on a server of its own.

Off without `LLM_AUDIT_URL`. Redis down: nothing is sent, the job waits; an answer that is there
already is given out all the same, and a line AUDIT_GAP says so. A worker has no key that opens what
it writes: `reader.py` reads.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Literal, Self

from producer.contract.messages import ToolCall

from ..faults import Deferred, ProviderError
from ..ledger.attempt import Attempt
from ..ledger.connection import ERRORS, Keys, Redis
from ..ledger.running_job import RunningJob
from ..loop.jobs import beside
from ..sealing import Seal
from ..settings import AuditSettings
from ..telemetry.logs import audit_gap, prompt_hash, spared

DAY_S = 86_400
AWAY_S = 5.0
"""How long a job waits before it looks again whether its prompt can be kept."""

NOTED_DIGITS = 16
"""Of a prompt's hash, as the ledger notes it."""

What = Literal["asked", "answered", "failed"]


@dataclass(frozen=True)
class Entry:
    """One thing that happened in a job, as the sink keeps it: a JSON text in the job's list."""

    job_id: str
    user_id: str
    at_ms: int
    what: What
    link: str
    """Who answered or failed: a link, or "cache", "stale", "static"; "" for what was asked."""
    note: str
    """Of what was asked, its prompt hash as in the log; of a failure, its fault."""
    key_id: str
    """The key that opens it."""
    sealed: str
    """Of what was asked, the request as JSON; of an answer, {"text", "tool_calls"}; "" of a
    failure.
    """

    @property
    def about(self) -> str:
        """What the seal is bound to."""
        return f"{self.job_id}|{self.user_id}|{self.at_ms}|{self.what}"

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Self:
        return cls(**json.loads(text))


class Audit:
    """Writes entries.

    `key`: the fleet's, for prompt hashes; `failed` is called whenever the sink takes no entry.
    """

    def __init__(
        self,
        sink: Redis | None,
        keys: Keys,
        settings: AuditSettings,
        key: bytes,
        failed: Callable[[], None],
    ) -> None:
        self._sink = sink
        self._keys = keys
        self._seal = Seal(settings.key) if settings.key else None
        self._life_s = settings.days * DAY_S
        self._hash_key = key
        self._failed = failed

    def write_prompt(self, job: RunningJob) -> str:
        """Keep what is about to be sent, once per job however often it starts and waits.

        Returns the prompt's hash, for the ledger to note; "" if the log has the prompt already.
        Raises `Deferred` if writing fails: what is not kept is not sent.
        """
        if self._sink is None:
            return ""
        hashed = prompt_hash(self._hash_key, job.request)
        noted = hashed[:NOTED_DIGITS]
        if job.audited == noted:
            return ""
        try:
            self._write(job, "asked", "", hashed, job.request.to_json())
        except ERRORS:
            self._failed()
            raise Deferred("the audit log does not answer", AWAY_S) from None
        return noted

    def write_answer(
        self, job: RunningJob, link: str, text: str, tool_calls: tuple[ToolCall, ...] = ()
    ) -> None:
        """Keep what came back. Never raises: the answer is paid for."""
        with self._warning(job, "answered"):
            calls = [call.model_dump(mode="json") for call in tool_calls]
            answer = json.dumps({"text": text, "tool_calls": calls})
            self._write(job, "answered", link, "", answer)

    @contextmanager
    def failures(self, job: RunningJob, attempt: Attempt) -> Iterator[None]:
        """Keep the fault of a call that fails in here: the provider may have seen the prompt."""
        try:
            yield
        except ProviderError as error:
            with self._warning(job, "failed"):
                self._write(job, "failed", attempt.link, str(error.fault), "")
            raise

    def close(self) -> None:
        if self._sink is not None:
            self._sink.close()

    @contextmanager
    def _warning(self, job: RunningJob, what: What) -> Iterator[None]:
        """Of what is not kept: the alert says so, and counts it."""
        try:
            yield
        except Exception:  # noqa: BLE001 -- whatever it is, the call is made and may be paid for
            with spared("the count of audit failures"):
                self._failed()
            audit_gap(job.id, what)

    def _write(self, job: RunningJob, what: What, link: str, note: str, text: str) -> None:
        if self._sink is not None:
            beside(self._seal_and_push, self._sink, job, what, link, note, text)

    def _seal_and_push(
        self, sink: Redis, job: RunningJob, what: What, link: str, note: str, text: str
    ) -> None:
        assert self._seal is not None, "the settings have a key where they have a sink"
        entry = Entry(job.id, job.user_id, job.now_ms, what, link, note, self._seal.id, "")
        if text:
            entry = replace(entry, sealed=self._seal.close(text, entry.about))
        entries = self._keys.audit_entries(job.id)
        jobs = self._keys.audit_jobs(job.user_id)
        with sink.pipeline(transaction=False) as pipe:
            pipe.rpush(entries, entry.dump())
            pipe.expire(entries, self._life_s)
            pipe.zadd(jobs, {job.id: entry.at_ms})
            pipe.zremrangebyscore(jobs, "-inf", entry.at_ms - self._life_s * 1000)
            pipe.expire(jobs, self._life_s)
            pipe.execute()
