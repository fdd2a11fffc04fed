"""The ledger's budgets in one process's memory: the same rules, as a model for tests.

It holds nothing across processes and survives nothing; a fleet uses `Ledger`.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from producer.contract.outcome import Outcome
from worker.ledger.attempt import NOT_CACHED, Attempt, Candidate, Question
from worker.ledger.fleet_limits import NO_LIMITS
from worker.ledger.job_functions import BudgetLeftReply, InTheWay, ReserveReply
from worker.ledger.running_job import RunningJob


@dataclass(frozen=True)
class Limit:
    """A window is its last `slots` slots of `slot_ms`; the shapes are common.lua's."""

    name: str
    unit: str
    slot_ms: int
    slots: int
    shared: bool = False


LIMITS = (
    Limit("user_tokens_per_hour", "tokens", 60_000, 61),
    Limit("user_requests_per_minute", "requests", 1_000, 61),
    Limit("user_usd_per_day", "micro", 86_400_000, 1),
    Limit("usd_per_day", "micro", 86_400_000, 1, shared=True),
)


@dataclass
class Budget:
    """One counter: held now, spent and possibly billed by slot."""

    held: int = 0
    spent: Counter[int] = field(default_factory=Counter)
    maybe: Counter[int] = field(default_factory=Counter)

    def used(self, first_slot: int) -> int:
        booked = (
            amount
            for counter in (self.spent, self.maybe)
            for slot, amount in counter.items()
            if slot >= first_slot
        )
        return sum(booked)


def _lateness(each: InTheWay) -> float:
    return math.inf if each.fits_in_ms < 0 else each.fits_in_ms


class MemoryBudgets:
    """Same `reserve` and `settle` as `Ledger`, as far as budgets go.

    Thread-safe. `now_ms` is its clock.
    """

    def __init__(
        self, now_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000
    ) -> None:
        self.limits = NO_LIMITS
        """Those of every user and of the fleet; a test sets others."""
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._budgets: dict[tuple[str, str], Budget] = {}
        self._holds: dict[str, dict[str, int]] = {}

    def reserve(
        self,
        job: RunningJob,
        candidates: list[Candidate],
        question: Question = NOT_CACHED,
    ) -> ReserveReply:
        """As `Ledger.reserve`, always for the first candidate: nothing cools down, nothing is
        cached yet.
        """
        if not candidates:
            return ReserveReply("unaffordable")
        first = candidates[0]
        asked = {"tokens": first.tokens, "requests": 1, "micro": first.micro_usd}
        with self._lock:
            found = [
                self._in_the_way(limit, allowed, job.user_id, asked[limit.unit])
                for limit, allowed in self._allowed()
                if allowed >= 0
            ]
            rows = sorted((each for each in found if each), key=_lateness, reverse=True)
            if rows:
                return ReserveReply("over" if rows[0].fits_in_ms else "held", in_the_way=rows)
            for limit in LIMITS:
                self._budget(limit, job.user_id).held += asked[limit.unit]
            self._holds[job.id] = asked
        number = job.attempts + 1
        return ReserveReply("go", candidate=0, number=number, entry_key=question.content)

    def budget_left(self, job: RunningJob) -> BudgetLeftReply:
        """As `Ledger.budget_left`."""
        return BudgetLeftReply(*self._tightest("micro", job), *self._tightest("tokens", job))

    def _allowed(self) -> list[tuple[Limit, int]]:
        return [(limit, getattr(self.limits, limit.name)) for limit in LIMITS]

    def _tightest(self, unit: str, job: RunningJob) -> tuple[int, int]:
        user = job.user_id
        rests = [
            (max(0, allowed - self.used(limit, user) - self.held(limit, user)), allowed)
            for limit, allowed in self._allowed()
            if limit.unit == unit and allowed >= 0
        ]
        return min(rests, default=(-1, -1))

    def settle(self, job: RunningJob, attempt: Attempt, outcome: Outcome) -> None:
        with self._lock:
            self._close(job, attempt)

    def held(self, limit: Limit, user_id: str) -> int:
        return self._budget(limit, user_id).held

    def used(self, limit: Limit, user_id: str) -> int:
        """Spent and possibly billed in the window that ends now."""
        return self._budget(limit, user_id).used(self._slot(limit) - limit.slots + 1)

    def _close(self, job: RunningJob, attempt: Attempt) -> None:
        hold = self._holds.pop(job.id, None)
        if hold is None:
            return
        bill = attempt.bill
        real = {"tokens": bill.tokens, "requests": 1, "micro": bill.micro_usd}
        for limit in LIMITS:
            budget = self._budget(limit, job.user_id)
            budget.held -= hold[limit.unit]
            if bill.kind == "real":
                budget.spent[self._slot(limit)] += real[limit.unit]
            elif bill.kind == "free" and limit.unit == "requests":
                budget.spent[self._slot(limit)] += 1
            elif bill.kind == "maybe":
                budget.maybe[self._slot(limit)] += hold[limit.unit]

    def _in_the_way(self, limit: Limit, allowed: int, user_id: str, asked: int) -> InTheWay | None:
        used = self.used(limit, user_id)
        held = self.held(limit, user_id)
        if not asked or used + held + asked <= allowed:
            return None
        fits_in_ms = 0
        if used + asked > allowed:
            fits_in_ms = self._fits_in_ms(limit, user_id, allowed, asked)
        return InTheWay(limit.name, allowed, used, held, asked, fits_in_ms)

    def _fits_in_ms(self, limit: Limit, user_id: str, allowed: int, asked: int) -> int:
        if asked > allowed:
            return -1
        budget, now = self._budget(limit, user_id), self._now_ms()
        for slot in sorted(budget.spent | budget.maybe):
            if budget.used(slot + 1) + asked <= allowed:
                return max(0, (slot + limit.slots) * limit.slot_ms - now)
        return 0

    def _slot(self, limit: Limit) -> int:
        return self._now_ms() // limit.slot_ms

    def _budget(self, limit: Limit, user_id: str) -> Budget:
        return self._budgets.setdefault((limit.name, "" if limit.shared else user_id), Budget())
