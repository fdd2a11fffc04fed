"""A ledger without workers: a test starts, reserves and ends its jobs by hand, in any order."""

from collections import Counter

from redis import Redis
from support.ledger import KEYS

from producer.contract.errors import JobError
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Submission
from worker.budgets.overrides import Overrides
from worker.budgets.quota import Quota
from worker.faults import Deferred, Fault, Outage
from worker.ledger.attempt import (
    ANSWERED,
    NOT_BILLED,
    NOT_CACHED,
    Attempt,
    Bill,
    Candidate,
    Evidence,
)
from worker.ledger.calls import Wait
from worker.ledger.connection import ledger_functions
from worker.ledger.fleet_limits import FleetLimits
from worker.ledger.ledger import Ledger
from worker.ledger.running_job import RunningJob
from worker.rate_limit_headers import NOT_STATED
from worker.settings import LaneSettings, LedgerSettings, Link, Pace, PaceSettings, QuotaSettings

ASKED = [{"role": "user", "content": "x"}]
OPENING_S = 5
LONG_S = 250
NO_BROKER = {"interactive": True, "batch": True}


class HandRun:
    """Slots to give, and the order in which they are given; links, and what they may be sent."""

    adapter = "openai"
    """Of the links."""

    def __init__(self, url, slots=1, pace=None, quota=None, **lanes):
        self.redis = Redis.from_url(url, decode_responses=True)
        self.redis.flushall()
        limits = PaceSettings(limits={name: Pace(**row) for name, row in (pace or {}).items()})
        quota = quota or QuotaSettings(tokens_per_hour=None)
        self.ledger = Ledger(
            self.redis,
            KEYS,
            LedgerSettings(),
            "test",
            LaneSettings(**lanes),
            limits,
            limits=FleetLimits.of(quota),
        )
        self.quiet_ms, self.ledger._quiet_ms = self.ledger._quiet_ms, 0
        """The server may be young, but no other process holds a lease there."""
        self.quota = Quota(self.ledger, quota)
        self.limits = Overrides(self.redis, KEYS)
        self.functions = ledger_functions(self.redis, KEYS)
        self.ledger.heartbeat("test", slots, 3600)
        self.released = []
        self.ended = 0
        self.attempts = {}
        """(job, fence) -> the attempt of that start."""
        self.count = Counter()

    def submit(self, user, count=1, lane="interactive", **options):
        request = CompletionRequest.checked(messages=ASKED, lane=lane, **options)
        ids = []
        for _ in range(count):
            self.count[user] += 1
            job_id = f"{user}-{lane[0]}{self.count[user]}"
            submission = Submission(job_id, user, request, {})
            self._release(self.ledger.submit(submission))
            ids.append(job_id)
        return ids

    def end_one(self):
        """The job that was released longest ago starts and ends; the next one is released."""
        self.ended += 1
        self.answer(self.start(self.released[self.ended - 1]))

    def serve(self, count):
        """End so many; the users that were served, in order."""
        start = len(self.released)
        for _ in range(count):
            self.end_one()
        return [job_id.partition("-")[0] for job_id in self.released[start:]]

    def start(self, job_id):
        job = self.ledger.start(job_id)
        assert isinstance(job, RunningJob)
        return job

    def attempt_of(self, job):
        return self.attempts.setdefault((job.id, job.fence), Attempt())

    def reserve(self, job, *names, tokens=100, question=NOT_CACHED):
        """The model that is called; else what the job must wait for, and it is parked so."""
        links = [Link(provider="p", model=name, adapter=self.adapter) for name in names]
        attempt = self.attempt_of(job)
        candidates = [Candidate(link, 50, 10, tokens) for link in links]
        try:
            return self.quota.take_hold(job, attempt, candidates, question).link.model
        except Deferred as deferred:
            wait = Wait(
                LONG_S if isinstance(deferred, Outage) else deferred.after_s,
                wakes_on=deferred.wakes_on,
                restart_clock=deferred.waits_for_room,
            )
            self._release(self.ledger.park(job, attempt, wait))
            return deferred

    def answer(self, job, tokens=100, rate_limits=NOT_STATED):
        attempt = self.attempt_of(job)
        attempt.billed(Bill("real", 10, tokens))
        attempt.rate_limits = rate_limits
        attempt.evidence = ANSWERED
        self._release(self.ledger.settle(job, attempt, JobError("done")))

    def fail(self, job, fault=Fault.UNAVAILABLE, after_s=0.0, says="", told_s=0.0):
        """`says`, `told_s`: as in `Evidence`."""
        attempt = self.attempt_of(job)
        attempt.evidence = Evidence(says, "HTTP 500", told_s, OPENING_S)
        attempt.billed(NOT_BILLED)
        self._release(self.ledger.park(job, attempt, Wait(after_s, str(fault))))

    def sweep(self):
        _, publications = self.ledger.sweep(100, NO_BROKER)
        self.released += [each.job_id for each in publications]

    def _release(self, reply):
        self.released += [each.job_id for each in reply.publications]
