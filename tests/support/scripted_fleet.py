"""A whole fleet in milliseconds: its jobs are run by hand, and end as the test says."""

from support.hand_run import HandRun
from support.ledger import KEYS

from producer.contract.completions import Completion, Usage
from producer.contract.errors import JobError
from worker.budgets.overrides import Subject
from worker.ledger.attempt import ANSWERED, Attempt, Bill, Start
from worker.telemetry.metrics import Metrics
from worker.telemetry.samples import samples_of

ANSWER = {
    "text": "x",
    "finish_reason": "stop",
    "model": "m",
    "provider": "p",
    "usage": Usage(input=50, output=50),
    "cost_usd": 0.00001,
    "attempts": 1,
    "latency_ms": 9,
    "request_id": "r",
}


class ScriptedFleet(HandRun):
    """Workers with room for all."""

    def __init__(self, url, **options):
        super().__init__(url, slots=10_000, **options)

    def jobs(self, users, each=1, seconds=0.5, call="ok", **options):
        """So many jobs of each of so many users, or of one user by name, are called and answered.

        `call`: what comes of the call. `options`: of the request.
        """
        for job in self._started(users, each, options):
            start = Start(job)
            self._reserve_and_call(start, seconds, call)
            self._end(start, Completion(**ANSWER), seconds)

    def simulated(self, users):
        """Jobs that a simulator answers, under a name that does not say so."""
        self.adapter = "simulator"
        self.jobs(users)
        self.adapter = "openai"

    def hits(self, users, each=1):
        for job in self._started(users, each, {}):
            self._end(Start(job), Completion(**ANSWER, cached=True), 0.01)

    def errors(self, error, users, each=1, **options):
        """Jobs that end in an error, without a call."""
        for job in self._started(users, each, options):
            self._end(Start(job), error, 0.5)

    def calls(self, outcome, count, model="m", provider="p"):
        """Provider calls beside those of the jobs."""
        samples = Metrics.call_ended("interactive", provider, model, outcome, 9)
        Metrics(self.redis, KEYS).add(samples * count)

    def happened(self, event):
        Metrics(self.redis, KEYS).add(Metrics.happened(event))

    def jobs_that_waited(self, users, seconds):
        """For their user's limit, as they were asked to."""
        for number in range(users):
            name = f"patient{number}"
            self.limits.change(Subject("user", name), requests_per_minute=1)
            self.jobs(name)
            (job,) = self._started(name, 1, {"over_limit": "wait"})
            assert "requests_per_minute" in str(self.reserve(job, "m"))
            record = KEYS.job(job.id)
            for field in ("at", "own_since"):
                self.redis.hincrby(record, field, -seconds * 1000)
            self.limits.change(Subject("user", name), requests_per_minute=9)
            self.sweep()
            start = Start(self.start(job.id))
            self._reserve_and_call(start, 0.5, "ok")
            self._end(start, Completion(**ANSWER), seconds + 0.5)

    def refuse(self, *models):
        """Provider links take no more calls."""
        for model in models:
            (job,) = self._started("prober", 1, {})
            self.reserve(job, model)
            self.fail(job, after_s=60, says="refuses")

    def wait_for(self, *models):
        """A job that may use no other link."""
        (job,) = self._started("waiting", 1, {})
        self.reserve(job, *models)

    def stand_in_line(self, seconds):
        """A job that no worker has a slot for."""
        self.ledger.heartbeat("test", 1, 3600)
        self._stood_since(self.submit("waiting", 10), seconds)

    def stand_at_cap(self, seconds, count):
        """Jobs of a user who may have one at once."""
        self.limits.change(Subject("user", "capped"), in_flight=1)
        self._stood_since(self.submit("capped", count), seconds)
        first, *_ = self.released
        self.start(first)

    def work_off_at_cap(self, seconds, count):
        """As above, and their turn comes, one after the other."""
        self.limits.change(Subject("user", "capped"), in_flight=1)
        ids = self.submit("capped", count)
        self._stood_since(ids[1:], seconds, "at", "since")
        for number, job_id in enumerate(ids):
            start = Start(self.start(job_id))
            self._reserve_and_call(start, 0.5, "ok")
            self._end(start, Completion(**ANSWER), 0.5 + (seconds if number else 0))

    def _stood_since(self, ids, seconds, *fields):
        now, _ = self.redis.time()
        for job_id in ids:
            for field in fields or ("since",):
                self.redis.hset(KEYS.job(job_id), field, (now - seconds) * 1000)

    def stand_still(self, seconds):
        """A job that the broker has, and a worker with a free slot does not begin."""
        now, _ = self.redis.time()
        for job_id in self.submit("waiting", 1):
            self.redis.hset(KEYS.job(job_id), "out", (now - seconds) * 1000)

    def _started(self, users, each, options):
        names = [f"u{n}" for n in range(users)] if isinstance(users, int) else [users]
        for name in names:
            for job_id in self.submit(name, each, **options):
                yield self.start(job_id)

    def _reserve_and_call(self, start, seconds, call):
        self.attempts[start.job.id, start.job.fence] = start.attempt
        assert self.reserve(start.job, "m") == "m"
        start.attempt.called(call, int(seconds * 1000), start.attempt.rate_limits)
        start.attempt.billed(Bill("real", 10, 100))
        start.attempt.evidence = ANSWERED

    def _end(self, start: Start, outcome: Completion | JobError, seconds: float):
        attempt: Attempt = start.attempt
        start.ended_ms = start.job.submitted_ms + int(seconds * 1000)
        attempt.samples = samples_of(start, outcome)
        self._release(self.ledger.settle(start.job, attempt, outcome))
