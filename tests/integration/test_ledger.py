"""The ledger's functions under any order of calls: no job lost, one outcome each, exact money,
after every step.
"""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from redis import Redis
from support.ledger import KEYS, LedgerProbe

from producer.contract.completions import Completion, Usage
from producer.contract.errors import JobError
from producer.contract.publication import Publication
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Submission
from worker.faults import LeaseLost
from worker.ledger.attempt import Attempt, Bill, Candidate, Start
from worker.ledger.calls import Wait
from worker.ledger.fleet_limits import FleetLimits
from worker.ledger.ledger import Ledger
from worker.ledger.running_job import RunningJob
from worker.settings import LedgerSettings, Link

REQUEST = CompletionRequest.checked(messages=[{"role": "user", "content": "x"}])
LINK = Link(provider="simulator", model="m", adapter="simulator")
LIMITS = FleetLimits(usd_per_day=10**15)
"""Only a budget with a limit is kept: this one is never reached."""
EMPTY = {"interactive": True, "batch": True}
FINAL = {"done", "failed", "cancelled", "expired", "dead"}
USERS = st.sampled_from(["u1", "u2"])
MONEY = st.integers(0, 500)
KINDS = st.sampled_from(["none", "free", "maybe", "real"])


def answer(job: RunningJob, text: str) -> Completion:
    return Completion(
        text=text,
        finish_reason="stop",
        model="m",
        provider="simulator",
        usage=Usage(),
        cost_usd=0,
        attempts=1,
        latency_ms=1,
        request_id=job.id,
    )


class LedgerMachine(RuleBasedStateMachine):
    """Deliveries are kept and repeated at will, as a broker may; workers die by never using their
    start again.
    """

    url = ""
    starts = Bundle("starts")

    def __init__(self) -> None:
        super().__init__()
        self.redis = Redis.from_url(self.url, decode_responses=True)
        self.redis.flushall()
        self.probe = LedgerProbe(self.url)
        self.ledger = Ledger(self.redis, KEYS, LedgerSettings(deliveries=3), "test", limits=LIMITS)
        self.ledger._quiet_ms = 0  # no other process holds a lease here
        self.ledger.heartbeat("test", 3, 3600)
        self.submitted: list[str] = []
        self.deliveries: list[str] = []
        self.outcomes: dict[str, str] = {}
        self.bills: dict[tuple[str, int], int] = {}
        """What each start cost, by job and fence: booked once, however late it is sent."""

    def teardown(self) -> None:
        """Whatever happened, every job still comes to its end."""
        for _ in range(200):
            self.lapse_all()
            self.sweep()
            for job_id in dict.fromkeys(self.deliveries):
                job = self.ledger.start(job_id)
                if isinstance(job, RunningJob):
                    ending = self.ledger.settle(job, Attempt(), JobError("done"))
                    self._publish(ending.publications)
            if all(self._state(job_id) in FINAL for job_id in self.submitted):
                break
        assert [job_id for job_id in self.submitted if self._state(job_id) not in FINAL] == []
        self.everything_adds_up()
        assert [self.probe.budget("usd", "fleet", "all")["held"], self.probe.open()] == [0, 0]
        self.redis.close()
        self.probe.redis.close()

    @rule(user=USERS, delayed=st.booleans())
    def submit(self, user: str, delayed: bool) -> None:
        job_id = f"j{len(self.submitted)}"
        submission = Submission(job_id, user, REQUEST, {}, delay_ms=100_000 if delayed else 0)
        submitted = self.ledger.submit(submission)
        assert (submitted.state, submitted.job_id) == ("new", job_id)
        assert self.ledger.submit(submission) == ("same", job_id, [])
        self.submitted.append(job_id)
        self._publish(submitted.publications)

    @rule(target=starts, which=st.integers(0, 50))
    def deliver(self, which: int):
        if not self.deliveries:
            return multiple()
        job_id = self.deliveries[which % len(self.deliveries)]
        before = self._state(job_id)
        opened = self.ledger.start(job_id)
        assert isinstance(opened, RunningJob) <= (before == "released")
        return Start(opened) if isinstance(opened, RunningJob) else multiple()

    @rule(start=starts, micro=MONEY)
    def reserve(self, start: Start, micro: int) -> None:
        if start.attempt.number:
            return
        candidate = Candidate(LINK, 1, micro, micro)
        try:
            reply = self.ledger.reserve(start.job, [candidate])
        except LeaseLost:
            return
        if reply.verdict == "go":
            start.attempt.reserved(candidate, reply.number)

    @rule(start=consumes(starts), micro=MONEY, kind=KINDS, answered=st.booleans())
    def settle(self, start: Start, micro: int, kind: str, answered: bool) -> None:
        """Also by a worker that lost its lease long ago: its cost counts, its outcome may come too
        late.
        """
        job = start.job
        self._bill(start.attempt, kind, micro)
        if start.attempt.bill.kind == "real":
            self.bills[job.id, job.fence] = micro
        for text in ("first", "another"):
            outcome = answer(job, text) if answered else JobError(text)
            self._publish(self.ledger.settle(job, start.attempt, outcome).publications)
            self.an_outcome_never_changes()

    @rule(start=consumes(starts), micro=MONEY, kind=KINDS, wait=st.booleans())
    def park(self, start: Start, micro: int, kind: str, wait: bool) -> None:
        job = start.job
        self._bill(start.attempt, kind, micro)
        after_s = 100.0 if wait else 0.0
        ending = self.ledger.park(job, start.attempt, Wait(after_s, "overloaded"))
        if ending.state != "lost" and start.attempt.bill.kind == "real":
            self.bills[job.id, job.fence] = micro
        self._publish(ending.publications)

    @rule()
    def lapse_all(self) -> None:
        """Leases run out, waits are over."""
        for key in (KEYS.open, KEYS.parked):
            for job_id in self.redis.zrange(key, 0, -1):
                self.redis.zadd(key, {job_id: 1})

    @rule()
    def sweep(self) -> None:
        self._publish(self.ledger.sweep(100, EMPTY)[1])

    @rule(which=st.integers(0, 50))
    def cancel(self, which: int) -> None:
        if self.submitted:
            self._publish(self.ledger.cancel(self.submitted[which % len(self.submitted)])[1])

    @invariant()
    def everything_adds_up(self) -> None:
        records = {
            key.rpartition(":")[2]: self.redis.hgetall(key)
            for key in self.redis.scan_iter(KEYS.job("*"))
        }
        assert set(records) == set(self.submitted)
        self._each_job_is_in_one_place(records)
        held = sum(int(record.get("held_micro", 0)) for record in records.values())
        spent = sum(int(record.get("cost", 0)) for record in records.values())
        maybe = sum(int(record.get("maybe", 0)) for record in records.values())
        budget = self.probe.budget("usd", "fleet", "all")
        assert budget == {"held": held, "spent": spent, "maybe": maybe}
        assert spent == sum(self.bills.values())
        assert (self.probe.counter("spent_micro"), self.probe.counter("maybe_billed_micro")) == (
            spent,
            maybe,
        )

    @invariant()
    def an_outcome_never_changes(self) -> None:
        for job_id in self.submitted:
            outcome = self.redis.get(KEYS.outcome(job_id))
            assert (outcome is not None) == (self._state(job_id) in FINAL)
            if outcome:
                assert self.outcomes.setdefault(job_id, outcome) == outcome

    def _each_job_is_in_one_place(self, records: dict[str, dict[str, str]]) -> None:
        lines = {
            user: self.redis.lrange(KEYS.waiting("interactive", user), 0, -1)
            for user in ("u1", "u2")
        }
        waiting = {job_id for line in lines.values() for job_id in line}
        opened = set(self.redis.zrange(KEYS.open, 0, -1))
        parked = set(self.redis.zrange(KEYS.parked, 0, -1))
        states = {job_id: record["state"] for job_id, record in records.items()}
        assert opened == {
            job_id for job_id, state in states.items() if state in ("released", "running")
        }
        assert parked == {job_id for job_id, state in states.items() if state == "parked"}
        assert waiting >= {job_id for job_id, state in states.items() if state == "waiting"}
        assert set(self.redis.zrange(KEYS.ring("interactive"), 0, -1)) == {
            user for user, line in lines.items() if line
        }
        in_flight = Counter(records[job_id]["user"] for job_id in opened)
        assert {
            user: int(count) for user, count in self.redis.hgetall(KEYS.in_flight).items()
        } == in_flight

    def _bill(self, attempt: Attempt, kind: str, micro: int) -> None:
        """Without a hold there is nothing to pay."""
        if attempt.number:
            attempt.billed(Bill(kind, micro, micro) if kind == "real" else Bill(kind))

    def _publish(self, publications: list[Publication]) -> None:
        self.deliveries += [order.job_id for order in publications]

    def _state(self, job_id: str) -> str:
        return str(self.redis.hget(KEYS.job(job_id), "state"))


def test_the_ledger_holds_under_any_order_of_calls(redis_url):
    LedgerMachine.url = redis_url
    run_state_machine_as_test(
        LedgerMachine, settings=settings(max_examples=60, stateful_step_count=30)
    )
