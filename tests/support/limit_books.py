"""What limits must say, reckoned in Python: books of every call of a random fleet, and who is in
line.

They know two amounts of each limit: what must count of it at least, and what may count at most.
Between them are the slots of sliding windows, and what was used before a limit was set.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from support.ledger import KEYS
from support.zone_calendar import period

from producer.contract.errors import JobError
from worker.budgets.overrides import FLEET, Subject

SLIDING = {"tokens_per_hour": (3_600, 60), "requests_per_minute": (60, 1)}
"""Seconds of a window and of its slots."""
WINDOWS = {
    "tokens_per_hour": "tokens",
    "requests_per_minute": "requests",
    "usd_per_day": "usd",
    "usd_per_week": "usd7",
    "usd_per_month": "usd31",
}
"""In the keys of budgets."""
SLACK_S = 1
"""The books' clock is read beside the server's."""
UNHEARD_S = 59
"""Who has not tried for so long may have lost the place in line."""
Key = tuple[Subject, str]


@dataclass
class Call:
    """Amounts by unit: what is held, and what it was billed."""

    worst: dict[str, int]
    opened: float
    closed: float | None = None
    kind: str = ""
    billed: dict[str, int] = field(default_factory=dict)


@dataclass
class Job:
    id: str
    user: str
    group: str
    lane: str
    want: tuple[int, int]
    calls: list[Call] = field(default_factory=list)
    waits_on: str = ""
    open: tuple = ()
    refused: JobError | None = None

    def risk(self, unit: str, since: float) -> tuple[int, float]:
        """The largest call that may have been billed, and when the last of them ended."""
        found = [each for each in self.calls if each.kind == "maybe" and each.opened >= since]
        worst = max((each.worst[unit] for each in found), default=0)
        return worst, max((each.closed for each in found), default=0.0)


@dataclass
class Limit:
    most: int
    since: float


class Books:
    """Jobs and limits of a fleet. `now`: the server's clock."""

    def __init__(self, zone: str, now: Callable[[], float]) -> None:
        self.zone, self.now = zone, now
        self.jobs: dict[str, Job] = {}
        self.past: list[Job] = []
        self.limits: dict[Key, Limit] = {}
        self._lines: dict[str, tuple[str, float]] = {}
        """What is waited for -> who is first, and when it tried last."""

    def limits_of(self, job):
        """Name in errors -> key and limit."""
        return {
            (name if subject == FLEET else f"{subject.kind}_{name}"): ((subject, name), limit)
            for (subject, name), limit in self.limits.items()
            if applies(subject, job)
        }

    def ended(self, job):
        job.waits_on = ""
        self.past.append(self.jobs.pop(job.id))

    def is_over(self, job, key, limit):
        """Whether the limit surely does not let the job's call in."""
        unit = unit_of(key[1])
        want = {"tokens": job.want[0], "micro": job.want[1], "requests": 1}[unit]
        own_risk, _ = job.risk(unit, 0)
        if want == 0 or (own_risk >= want and is_shared(key)):
            return False
        return self._at_least(job, key) + want > limit.most

    def _at_least(self, asking, key):
        """What others use and hold, and what the job itself was billed."""
        since, unit, now = self.limits[key].since, unit_of(key[1]), self.now()
        begin = self._begin(key, now, wide=False)
        total = 0
        for job in self._all(key):
            calls = [each for each in job.calls if each.opened >= since]
            total += sum(used(each, unit, is_shared(key), begin) for each in calls)
            risk, at = job.risk(unit, since)
            if job.open:
                held = job.calls[-1].worst[unit] if job.calls[-1].opened >= since else 0
                total += max(held, risk) if is_shared(key) and held else held
            elif is_shared(key) and at >= begin and job is not asking:
                total += risk
        return total

    def at_most(self, key):
        unit, now = unit_of(key[1]), self.now()
        begin = self._begin(key, now, wide=True)
        found = {"used": 0, "held": 0}
        is_new = self.limits[key].since >= begin and unit == "micro"
        for job in self._all(key):
            shared = is_shared(key)
            found["used"] += sum(
                used(each, unit, shared and not is_new, begin) for each in job.calls
            )
            risk, at = job.risk(unit, 0)
            if job.open:
                found["held"] += max(job.calls[-1].worst[unit], risk if shared else 0)
            if shared and at >= begin and (is_new or not job.open):
                found["used"] += risk
        return found

    def _all(self, key):
        everybody = [*self.jobs.values(), *self.past]
        return [job for job in everybody if applies(key[0], job)]

    def _begin(self, key, now, wide):
        name = key[1]
        if name in SLIDING:
            window_s, slot_s = SLIDING[name]
            return now - window_s - (slot_s + SLACK_S if wide else -SLACK_S)
        begin, _ = period(name, self.zone, now)
        if not wide:
            return begin + SLACK_S
        is_new = self.limits[key].since >= begin - SLACK_S
        return begin - (86_400 if is_new else 0) - SLACK_S

    # Who is in line.

    def note_wait(self, job, wakes_on):
        job.waits_on = wakes_on
        if not wakes_on.startswith("budget:"):
            return
        first, _ = self._first(wakes_on)
        if first in (None, job) or passes(job, first):
            self._lines[wakes_on] = job.id, self.now()

    def _first(self, what):
        job_id, tried = self._lines.get(what, ("", 0.0))
        job = self.jobs.get(job_id)
        if job is None or job.waits_on != what or self.now() - tried > UNHEARD_S:
            return None, 0.0
        return job, tried

    def who_is_before(self, job, key):
        first, _ = self._first(f"budget:{budget_of(key)}")
        return first if first is not job else None

    def check_line(self, job):
        for key, _ in self.limits_of(job).values():
            first = self.who_is_before(job, key)
            assert first is None or passes(job, first), f"{first.id} was before {job.id}"


def budget_of(key):
    (kind, subject), name = key
    return KEYS.budget(WINDOWS[name], kind, subject)


def unit_of(name):
    return {"tokens_per_hour": "tokens", "requests_per_minute": "requests"}.get(name, "micro")


def is_shared(key):
    """Whether all calls of a job that gave no bill count as one worst case."""
    return key[0] != FLEET and unit_of(key[1]) != "requests"


def applies(subject, job):
    return subject == FLEET or subject.name == (job.user if subject.kind == "user" else job.group)


def passes(job, other):
    return job.lane == "interactive" and other.lane == "batch"


def used(call, unit, shared, begin):
    """Of a call that has ended, since then."""
    if call.closed is None or call.closed < begin or call.kind == "none":
        return 0
    if unit == "requests":
        return 1
    if call.kind == "real":
        return call.billed[unit]
    return call.worst[unit] if call.kind == "maybe" and not shared else 0
