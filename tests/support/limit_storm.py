"""A fleet under random limits, calls, crashes and clocks; at every call it is compared with books
in Python (`limit_books.py`).
"""

import math
from collections import defaultdict

from support.hand_run import LONG_S
from support.ledger import KEYS
from support.limit_books import Books, Call, Job, Limit, budget_of, unit_of
from support.moved_clock import SET_BY, set_clock
from support.zone_calendar import period

from producer.contract.errors import BudgetExceeded, DeadlineExceeded, JobError, RateLimited
from worker.budgets.overrides import Subject
from worker.faults import Deferred
from worker.ledger.attempt import NOT_BILLED, NOT_SENT, POSSIBLY_BILLED, Attempt, Bill, Candidate
from worker.ledger.calls import Wait
from worker.settings import Link

LINK = Link(provider="p", model="a", adapter="simulator")
MICRO = 1_000_000
MOST = {"requests_per_minute": 5}
"""The others are up to 100 tokens or micro-dollars."""
LEASE_S = 11
BILLS = {"maybe": POSSIBLY_BILLED, "none": NOT_SENT, "free": NOT_BILLED}


class Storm:
    """The steps are its public methods; `which` counts running jobs, or those that live."""

    def __init__(self, fleet, zone):
        self.fleet, self.redis = fleet, fleet.redis
        self._server_time, fleet.redis.time = fleet.redis.time, self._time
        self._reserve, fleet.ledger.reserve = fleet.ledger.reserve, self._noted
        self.books = Books(zone, self.now)
        self.groups = defaultdict(str)
        self.reply = None

    def _time(self):
        seconds, micros = self._server_time()
        return seconds + int(self.redis.get(SET_BY) or 0), micros

    def _noted(self, *arguments):
        self.reply = self._reserve(*arguments)
        return self.reply

    def now(self) -> float:
        seconds, micros = self._time()
        return seconds + micros / MICRO

    # Steps.

    def change(self, key, share):
        """To so many hundredths of the most; None: no limit any more."""
        subject, name = key
        if share is None:
            self.fleet.limits.change(subject, **{name: -1})
            self.books.limits.pop(key, None)
        else:
            most = MOST.get(name, 100) * share // 100
            self.fleet.limits.change(subject, **{name: most / MICRO if "usd" in name else most})
            before = self.books.limits.get(key)
            self.books.limits[key] = Limit(most, before.since if before else self.now())
        self.work_off()

    def reset(self, subject):
        self.fleet.limits.reset(subject)
        for each in [each for each in self.books.limits if each[0] == subject]:
            del self.books.limits[each]
        self.groups.pop(subject.name, None)

    def join(self, user, group):
        self.fleet.limits.change(Subject("user", user), group=group)
        self.groups[user] = group

    def ask(self, user, tokens, micro, lane="interactive", over_limit="fail"):
        (job_id,) = self.fleet.submit(user, lane=lane, over_limit=over_limit)
        self.books.jobs[job_id] = Job(job_id, user, self.groups[user], lane, (tokens, micro))
        self.work_off()

    def move(self, by_s, dead=None):
        """The clock; leases of all running jobs but that of the dead one are renewed."""
        set_clock(self.redis, by_s)
        self.fleet.ledger.heartbeat("test", 10_000, 10_000_000)
        held = [(job.id, job.open[0].fence) for job in self.running() if job is not dead]
        lost, _ = self.fleet.ledger.renew(held, {})
        assert lost == []
        self.work_off()

    def to_the_end_of(self, limit):
        """Of a calendar's period: two seconds before it."""
        _, end = period(limit, self.books.zone, self.now())
        self.move(max(0, int(end - 2 - self.now())))

    def crash(self, which):
        """A running job's worker; its lease is lost and swept."""
        if job := self._running(which):
            call = job.calls[-1]
            self.move(LEASE_S, dead=job)
            assert call.kind == "maybe"

    def end(self, which, kind, share, again=False):
        """A running call, billed with so many hundredths of its worst case."""
        if not (job := self._running(which)):
            return
        held, attempt = job.open
        call = job.calls[-1]
        billed = {unit: worst * share // 100 for unit, worst in call.worst.items()}
        real = Bill("real", billed["micro"], billed["tokens"])
        attempt.billed(BILLS.get(kind) or real)
        if again:
            ending = self.fleet.ledger.park(held, attempt, Wait(0.0, "unavailable"))
        else:
            ending = self.fleet.ledger.settle(held, attempt, JobError("done"))
        self.fleet._release(ending)
        self._closed(job, kind, billed)
        if not again:
            self.books.ended(job)
        self.work_off()

    def cancel(self, which):
        """A job that waits, or is running: then its worker ends it."""
        if not self.books.jobs:
            return
        job = list(self.books.jobs.values())[which % len(self.books.jobs)]
        self.fleet._release(self.fleet.ledger.cancel(job.id))
        if job.open:
            self.end(self.running().index(job), "maybe", 100)
        else:
            self.books.ended(job)
        self.work_off()

    def work_off(self):
        """Start all that is released; sweep until nothing is."""
        for _ in range(100):
            self.fleet.sweep()
            released, self.fleet.released[:] = list(self.fleet.released), []
            for job in self.running():
                self._see_if_lost(job)
            if not released:
                return
            for job_id in released:
                if self.redis.hget(KEYS.job(job_id), "state") == "released":
                    self._take(self.books.jobs[job_id])
        raise AssertionError("jobs are tried without end")

    def check_instants(self, user, tokens, micro):
        """Nobody else calls any more: a refused call is let in when it is told so, not before."""
        while self.running():
            self.end(0, "real", 100)
        while self.books.jobs:
            self.cancel(0)
        error = self._refusal_of(user, tokens, micro)
        if error is None or error.retry_after_s is None:
            return
        if error.retry_after_s > 2:
            self.move(math.floor(error.retry_after_s - 1))
            error = self._refusal_of(user, tokens, micro)
            assert error
        self.move(math.ceil(error.retry_after_s))
        assert self._refusal_of(user, tokens, micro) is None

    def _refusal_of(self, *wanted):
        """None if it is let in; the hold is given back."""
        self.ask(*wanted)
        if self.running():
            self.end(0, "none", 0)
        return self.books.past[-1].refused

    def finish(self):
        """Everybody who waits is called once all that is used counts no longer, or never can be."""
        for _ in range(len(self.books.jobs) + 2):
            while self.running():
                self.end(0, "none", 0)
            self.move(40 * 86_400)
        for job in self.books.jobs.values():
            assert self._never_fits(job), job
        for key in self.books.limits:
            assert self.redis.hget(budget_of(key), "h") in (None, "0")

    def _never_fits(self, job):
        wants = {"tokens": job.want[0], "micro": job.want[1], "requests": 1}
        return any(
            wants[unit_of(key[1])] > each.most for key, each in self.books.limits_of(job).values()
        )

    def _see_if_lost(self, job):
        held, _ = job.open
        state, fence = self.redis.hmget(KEYS.job(job.id), "state", "fence")
        if state == "running" and int(fence) == held.fence:
            return
        self._closed(job, "maybe", {})
        if state not in ("waiting", "released"):
            self.books.ended(job)

    def _closed(self, job, kind, billed):
        call = job.calls[-1]
        call.closed, call.kind, call.billed = self.now(), kind, billed
        job.open = ()

    def running(self):
        return [job for job in self.books.jobs.values() if job.open]

    def _running(self, which):
        found = self.running()
        return found[which % len(found)] if found else None

    # What must be so.

    def _take(self, job):
        """Try to call; check what the ledger says."""
        held, attempt = self.fleet.start(job.id), Attempt()
        tokens, micro = job.want
        try:
            self.fleet.quota.take_hold(held, attempt, [Candidate(LINK, 1, micro, tokens)])
        except Deferred as waits:
            self._check_in_the_way(job)
            self.books.note_wait(job, waits.wakes_on)
            wait = Wait(
                LONG_S if waits.wakes_on.startswith("budget:") else waits.after_s,
                wakes_on=waits.wakes_on,
                restart_clock=waits.waits_for_room,
            )
            self.fleet._release(self.fleet.ledger.park(held, attempt, wait))
            return
        except (RateLimited, BudgetExceeded) as error:
            self._check_in_the_way(job)
            self._check_refusal(error)
            self._end_refused(job, held, attempt, error)
            return
        except DeadlineExceeded as error:
            self._end_refused(job, held, attempt, error)
            return
        self._check_called(job)
        job.waits_on = ""
        worst = {"tokens": tokens, "micro": micro, "requests": 1}
        job.calls.append(Call(worst, self.now()))
        job.open = held, attempt

    def _end_refused(self, job, held, attempt, error):
        self.fleet._release(self.fleet.ledger.settle(held, attempt, error))
        job.refused = error
        self.books.ended(job)

    def _check_refusal(self, error):
        rows = self.reply.in_the_way
        assert [each["limit"] for each in error.details["limits"]] == [each.limit for each in rows]
        over = [each for each in rows if each.used + each.asked > each.allowed]
        assert over, rows
        if error.retry_after_s is None:
            assert any(each.asked > each.allowed for each in over)

    def _check_in_the_way(self, job):
        """What is named is in force and does not let it in; all that surely does not is named."""
        mine = self.books.limits_of(job)
        named = {each.limit: each for each in self.reply.in_the_way}
        assert named
        for name, row in named.items():
            limit, at_most = mine[name][1].most, self.books.at_most(mine[name][0])
            assert row.allowed == limit
            assert row.used <= at_most["used"], (name, row, at_most)
            assert row.held <= at_most["held"], (name, row, at_most)
            if row.used + row.held + row.asked <= limit:
                assert self.reply.verdict == "held"
                assert self.books.who_is_before(job, mine[name][0]), "nobody is before it"
        if self.reply.verdict == "held" and len(named) == 1:
            return
        for name, (key, limit) in mine.items():
            if self.books.is_over(job, key, limit):
                assert name in named

    def _check_called(self, job):
        for name, (key, limit) in self.books.limits_of(job).items():
            assert not self.books.is_over(job, key, limit), name
        self.books.check_line(job)
