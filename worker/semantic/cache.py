"""The semantic cache as a pipeline uses it: begun beside the reservation, asked once that is there,
told what was answered.

What fails in it is a miss, and never fails a job.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import BoundedSemaphore
from typing import NamedTuple

from producer.contract.completions import Completion
from producer.contract.embeddings import Embeddings
from producer.contract.embeddings import request_fields as texts_to_embed
from producer.contract.ledger.functions import Functions
from producer.contract.requests import CompletionRequest

from ..cache import Cache, maker
from ..ledger.attempt import Attempt
from ..ledger.running_job import RunningJob
from ..loop.jobs import result_of
from ..settings import SemanticSettings
from ..telemetry.logs import spared
from .decision import Rule
from .errands import TAG, Done, Errands
from .index import Index, Known, Looked
from .judge import Judged
from .scope import Scope, scope_of
from .trial import Trial
from .vectors import packed

EMBEDDING_S = 10.0
"""For an embedding that comes too late for its own job: later ones find its question by it."""
AT_ONCE = 32
"""Lookups of one process."""
LEARNING_AT_ONCE = 4
FRESH_S = 0.05
"""For how long it counts as known that an answer is there."""
MOST_LEARNING = 200
"""Answers that wait to be learnt from; what comes then is not."""


class Found(NamedTuple):
    """What a lookup found."""

    vector: str
    looked: Looked
    micro_usd: int
    """What the embedding cost the user."""
    trial: Trial | None
    """None: there is no candidate, or nothing is served."""
    at_s: float
    """When it was tried, by the monotonic clock."""


class SemanticCache:
    """`life_ms`: of the exact cache's entries. `embedding`: the link whose vectors are compared."""

    def __init__(
        self,
        settings: SemanticSettings,
        cache: Cache,
        index: Index,
        errands: Errands,
        call: Functions,
        embedding: str,
        life_ms: int,
    ) -> None:
        self.settings = settings
        self.cache = cache
        self.index = index
        self.errands = errands
        self.call = call
        self.life_ms = life_ms
        self._embedding = embedding
        self._looking = ThreadPoolExecutor(AT_ONCE, "semantic")
        self._learning = ThreadPoolExecutor(LEARNING_AT_ONCE, "semantic-learning")
        self._room = BoundedSemaphore(MOST_LEARNING)

    def prepare(self) -> None:
        """Before the first job."""
        self.index.prepare()

    def begin(self, job: RunningJob) -> "Search | None":
        """Look for a near question, in threads of its own: what is known of its scope is read while
        its vector is made. None: the job takes no part.
        """
        if self.settings.mode == "off":
            return None
        with spared("a near question"):
            scope = scope_of(self.cache, job, self._embedding)
            if scope:
                # First, so that none of the pool's threads waits for one that has not begun.
                ahead = self._looking.submit(self.index.ahead, scope)
                found: Future[Found | None] = Future()
                self._looking.submit(self._look, job, scope, ahead, found)
                return Search(self, job, scope, found)
        return None

    def judge(self, job: RunningJob, looked: Looked) -> Judged | None:
        """None if there is none, or its money of today is spent."""
        link, most = self.settings.judge, self.settings.judge_usd_per_day
        if link is None or looked.judge_micro_usd >= most * 1_000_000:
            return None
        return Judged(self.errands, link, job)

    def tried(self, job: RunningJob, scope: Scope, looked: Looked) -> Trial | None:
        """Raises `ERRORS` while the ledger is away."""
        rule = Rule(self.settings.max_error, self.judge(job, looked) is not None)
        return Trial.of(self.call, scope, looked, rule, self.settings.mode == "shadow")

    def in_time(self, work: Callable[[], Trial], seconds: float) -> Trial | None:
        """None if it is not done by then; it goes on."""
        with suppress(TimeoutError):
            return result_of(self._looking.submit(work), seconds)
        return None

    def later(self, work: Callable[[], None]) -> None:
        """Beside other jobs; not at all if too much waits."""
        if not self._room.acquire(blocking=False):
            return

        def run() -> None:
            try:
                with spared("what an answer teaches of near questions"):
                    work()
            finally:
                self._room.release()

        self._learning.submit(run)

    def close(self) -> None:
        self._looking.shutdown(wait=False, cancel_futures=True)
        self._learning.shutdown(wait=True, cancel_futures=True)
        self.index.close()

    def _look(
        self, job: RunningJob, scope: Scope, ahead: "Future[Known]", found: "Future[Found | None]"
    ) -> None:
        with spared("a lookup of a near question"):
            fields = texts_to_embed(
                [scope.question],
                model=self._embedding,
                cache_scope=job.request.cache_scope,
                cache_namespace=job.request.cache_namespace,
                deadline_s=EMBEDDING_S,
                on_outage="fail",
                tags=[TAG],
            )

            def early(done: Done) -> None:
                found.set_result(self._found(job, scope, ahead, done))

            self.errands.do(job, CompletionRequest.checked(**fields), early)
        if not found.done():
            found.set_result(None)

    def _found(
        self, job: RunningJob, scope: Scope, ahead: "Future[Known]", done: Done
    ) -> Found | None:
        if done.answer is None:
            return None
        vector = packed(Embeddings.of(done.answer).data)
        known = ahead.result(EMBEDDING_S)
        looked = Looked(self.index.nearest(scope, vector), *known)
        paid = done.micro_usd if self.settings.paid_by == "user" else 0
        serves = self.settings.mode == "serve"
        trial = self.tried(job, scope, looked) if serves else None
        return Found(vector, looked, paid, trial, time.monotonic())


class Search:
    """Of one job."""

    def __init__(
        self, near: SemanticCache, job: RunningJob, scope: Scope, found: "Future[Found | None]"
    ) -> None:
        self._near = near
        self._job = job
        self._scope = scope
        self._found = found
        self._until = time.monotonic() + near.settings.timeout_ms / 1000
        self._trial: Trial | None = None

    def answer(self, attempt: Attempt) -> Completion | None:
        """A near question's answer, if it may be served. Its hold is given back then."""
        if self._near.settings.mode != "serve":
            return None
        with spared("a near question's answer"), suppress(TimeoutError):
            found = result_of(self._found, max(0.0, self._until - time.monotonic()))
            if found:
                return self._decided(found, attempt)
        return None

    def learn(self, completion: Completion, kept: bool) -> None:
        """The job was answered by a provider. `kept`: whether that answer is cached."""
        with spared("what an answer teaches of near questions"):
            if kept:
                self._near.later(lambda: self._learn(completion))

    def _decided(self, found: Found, attempt: Attempt) -> Completion | None:
        near, job = self._near, self._job
        judge = near.judge(job, found.looked)
        trial = found.trial
        if trial and time.monotonic() - found.at_s > FRESH_S:
            trial = trial.still_there(near.call)
        if trial and judge and trial.waits_for_judge:
            known = trial
            seconds = near.settings.judge_timeout_ms / 1000
            trial = near.in_time(lambda: known.judged_and_noted(near.call, judge), seconds) or known
            trial = trial.still_there(near.call)
        self._trial = trial
        if trial is None or trial.course.asked or not trial.serves:
            return None
        noted = Attempt()
        answer = trial.answer(near.cache, job, noted, found.micro_usd)
        if answer:
            served = noted.saved._replace(near=trial.served)
            # Last: if anything before failed, the job is called as if nothing had been found.
            attempt.saved = served
            attempt.not_billed(sent=False)
        return answer

    def _learn(self, completion: Completion) -> None:
        near, job = self._near, self._job
        found = self._found.result(EMBEDDING_S)
        if found is None:
            return
        near.index.keep(self._scope, found.vector, maker(job.user_id), near.life_ms)
        judge = near.judge(job, found.looked)
        trial = self._trial or near.tried(job, self._scope, found.looked)
        if trial is None or not trial.course.learns:
            return
        stored = trial.answer(near.cache, job, Attempt(), 0)
        if stored:
            trial.learn(near.call, stored, completion, judge)
