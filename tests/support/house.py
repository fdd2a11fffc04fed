"""A ledger without a fleet: a test begins, attempts and ends its jobs by hand, in an order of its
own.
"""

from collections import Counter

from redis import Redis
from support.ledger import KEYS

from producer.contract.errors import JobError
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Submission
from worker.budgets.overrides import Overrides
from worker.budgets.quota import Quota
from worker.faults import Deferred, Fault
from worker.ledger.ledger import Ledger
from worker.ledger.running_job import Bill, Candidate, Job
from worker.rate_limit_headers import SILENCE
from worker.settings import LaneSettings, LedgerSettings, Link, Pace, PaceSettings, QuotaSettings

ASKED = [{"role": "user", "content": "x"}]
REQUESTS = {
    lane: CompletionRequest.checked(messages=ASKED, lane=lane) for lane in ("interactive", "batch")
}
NO_BROKER = {"interactive": True, "batch": True}


class House:
    """Slots to give, and the order in which they are given; links, and what they may be sent."""

    def __init__(self, url, slots=1, pace=None, quota=None, **lanes):
        self.redis = Redis.from_url(url, decode_responses=True)
        self.redis.flushall()
        limits = PaceSettings(limits={name: Pace(**row) for name, row in (pace or {}).items()})
        self.jobs = Ledger(
            self.redis, KEYS, LedgerSettings(), "test", LaneSettings(**lanes), limits
        )
        self.quota = Quota(self.jobs, quota or QuotaSettings(tokens_per_hour=None))
        self.limits = Overrides(self.redis, KEYS)
        self.jobs.beat("test", slots, 3600)
        self.released = []
        self.ended = 0
        self.count = Counter()

    def submit(self, user, count=1, lane="interactive"):
        ids = []
        for _ in range(count):
            self.count[user] += 1
            job_id = f"{user}-{lane[0]}{self.count[user]}"
            _, _, publications = self.jobs.submit(Submission(job_id, user, REQUESTS[lane], {}))
            self._release(publications)
            ids.append(job_id)
        return ids

    def end_one(self):
        """The job that was released longest ago begins and ends; whoever is next is released."""
        self.ended += 1
        self.answer(self.begin(self.released[self.ended - 1]))

    def serve(self, count):
        """End so many; the users that were served, in order."""
        start = len(self.released)
        for _ in range(count):
            self.end_one()
        return [job_id.partition("-")[0] for job_id in self.released[start:]]

    def begin(self, job_id):
        job = self.jobs.begin(job_id)
        assert isinstance(job, Job)
        return job

    def attempt(self, job, *names, tokens=100):
        """The name of the link that is called; else what the job must wait for, and it is parked
        so.
        """
        links = [Link(provider="p", model=name, adapter="simulator") for name in names]
        try:
            return self.quota.reserve(
                job, [Candidate(link, 50, 10, tokens) for link in links]
            ).chosen.link.model
        except Deferred as wait:
            self._release(
                self.jobs.park(job, wait.after_s, wakes_on=wait.wakes_on, patient=wait.patient)[1]
            )
            return wait

    def answer(self, job, tokens=100, allowance=SILENCE):
        job.bill, job.allowance = Bill("real", 10, tokens), allowance
        self._release(self.jobs.settle(job, JobError("done"))[1])

    def fail(self, job, fault=Fault.RATE_LIMITED, cool_s=0.0, after_s=0.0):
        job.bill = Bill("none")
        self._release(self.jobs.park(job, after_s, str(fault), cool_s)[1])

    def sweep(self):
        self._release(self.jobs.sweep(100, NO_BROKER)[1])

    def _release(self, publications):
        self.released += [order.job_id for order in publications]
