"""What health says of whole fleets, well ones and ill ones: no false alarm and no false ok.

`docs/operations.md` shows them as a table, made from here.
"""

from pathlib import Path

import pytest
from support.ledger import KEYS, connection
from support.scripted_fleet import ScriptedFleet

from producer.contract.errors import (
    BudgetExceeded,
    Cancelled,
    DeadlineExceeded,
    InvalidRequest,
    OutcomeUnknown,
    ProvidersExhausted,
    RateLimited,
    Refused,
    TooLong,
    Truncated,
)
from worker.budgets.overrides import FLEET, Subject
from worker.monitoring.health import Health
from worker.settings import HealthSettings

ROOT = Path(__file__).parents[2]
OVER = RateLimited("user_tokens_per_hour: used up", {"limit": "user_tokens_per_hour"})
CAP = BudgetExceeded("max_cost_per_request: too dear", {"limit": "max_cost_per_request"})
DAY = BudgetExceeded("usd_per_day: used up", {"limit": "usd_per_day"})
DOWN = ProvidersExhausted("no provider answered")
REFUSED = Refused("declined", {"reason": "refusal"})
CUT = Truncated("cut", {"partial_text": "x"})


def group(fleet, name, used, limit):
    fleet.limits.change(Subject("user", "member"), group=name)
    fleet.limits.change(Subject("group", name), tokens_per_hour=limit)
    fleet.jobs("member", used // 100)


def user_limit(fleet, name, used, limit):
    fleet.limits.change(Subject("user", name), tokens_per_hour=limit)
    fleet.jobs(name, used // 100)


WELL = {
    "no job, workers alive": lambda f: None,
    "40 answered jobs": lambda f: f.jobs(20, 2),
    "one refused question": lambda f: (f.jobs(1), f.errors(REFUSED, 1)),
    "half of the answers refused or filtered": lambda f: (f.jobs(10, 2), f.errors(REFUSED, 10, 2)),
    "answers cut at the callers' own max_tokens": lambda f: (
        f.jobs(10, 2, call="length", max_tokens=5),
        f.errors(CUT, 10, 2, max_tokens=5),
    ),
    "wrong and too long requests": lambda f: (
        f.errors(InvalidRequest("x"), 10, 2),
        f.errors(TooLong("x"), 10, 2),
    ),
    "200 cancelled jobs": lambda f: (f.jobs(2), f.errors(Cancelled("x"), 20, 10)),
    "one user refused 500 times by their limit, 20 others served": lambda f: (
        f.jobs(20, 2),
        f.errors(OVER, "greedy", 500),
    ),
    "the only user refused by their limit": lambda f: f.errors(OVER, "u0", 50),
    "25 of 1,000 users at their own limit": lambda f: (f.jobs(1000), f.errors(OVER, 25)),
    "a user has spent 95 % of their own limit": lambda f: user_limit(f, "u0", 1900, 2000),
    "a group has spent 50 %": lambda f: group(f, "team", 1000, 2000),
    "batch jobs that took an hour": lambda f: f.jobs(20, 2, seconds=3600, lane="batch"),
    "a third of a link's calls fail, all jobs answered": lambda f: (
        f.jobs(20, 2),
        f.calls("unavailable", 20),
    ),
    "20 jobs waited for their users' limits for an hour, as asked": lambda f: f.jobs_that_waited(
        20, 3600
    ),
    "a user's 10 jobs wait for 5 minutes at their own cap": lambda f: f.stand_at_cap(300, 10),
    "a user's 20 jobs waited for 5 minutes at their own cap, and were answered": lambda f: (
        f.work_off_at_cap(300, 20)
    ),
    "260 quick hits and 20 quick calls": lambda f: (f.hits(26, 10), f.jobs(20)),
}
ILL = {
    "no worker": (lambda f: f.redis.delete(KEYS.workers), "no_workers"),
    "batch jobs wait, and no worker takes any": (
        lambda f: (
            f.ledger.heartbeat("test", 1, 3600, "interactive"),
            f.submit("u0", 3, lane="batch"),
        ),
        "unserved",
    ),
    "jobs stand still beside free slots": (lambda f: f.stand_still(300), "standing"),
    "one job in ten fails, of several users": (
        lambda f: (f.jobs(18, 5), f.errors(DOWN, 10)),
        "errors dead_letters",
    ),
    "the only user's jobs fail": (
        lambda f: (f.jobs("u0", 20), f.errors(DOWN, "u0", 10)),
        "errors dead_letters",
    ),
    "all fail, beside 200 refusals of one user": (
        lambda f: (f.errors(DOWN, 10, 2), f.errors(OVER, "greedy", 200)),
        "errors dead_letters",
    ),
    "deadlines pass": (
        lambda f: (f.jobs(20), f.errors(DeadlineExceeded("x"), 10)),
        "errors dead_letters",
    ),
    "everybody is refused by the limit of the settings": (
        lambda f: f.errors(OVER, 25, 2),
        "refused",
    ),
    "the cap refuses half of all questions": (
        lambda f: (f.jobs(20, 2), f.errors(CAP, 20, 2)),
        "refused",
    ),
    "both users of a small fleet are refused": (lambda f: f.errors(OVER, 2, 10), "refused"),
    "the fleet's day is used up": (
        lambda f: (
            f.jobs(20),
            f.limits.change(FLEET, usd_per_day=0.0002),
            f.errors(DAY, 20, 2),
        ),
        "budget refused",
    ),
    "a group has spent 95 %": (lambda f: group(f, "team", 1900, 2000), "budget"),
    "12 calls of 6 s behind 260 hits": (
        lambda f: (f.jobs(12, seconds=6), f.hits(26, 10)),
        "slow",
    ),
    "a job has stood in line for 5 minutes": (lambda f: f.stand_in_line(300), "queue"),
    "so has one of a user below their own cap": (
        lambda f: (
            f.limits.change(Subject("user", "waiting"), in_flight=50),
            f.stand_in_line(300),
        ),
        "queue",
    ),
    "a link refuses its key": (
        lambda f: (f.jobs(20), f.calls("misconfigured", 1, "other")),
        "auth",
    ),
    "a link fails more than half of its calls": (
        lambda f: (f.jobs(20), f.calls("unavailable", 5, "other")),
        "failing",
    ),
    "a simulator answers beside a real link": (
        lambda f: (f.jobs(20), f.simulated(3)),
        "simulator",
    ),
    "a link is left alone, another one answers": (
        lambda f: (f.jobs(20), f.refuse("other")),
        "circuit",
    ),
    "the only link is left alone and a job waits": (
        lambda f: (f.refuse("m"), f.wait_for("m")),
        "circuit",
    ),
    "answers are cut at the default max_tokens": (
        lambda f: f.jobs(20, call="length"),
        "truncation",
    ),
    "a worker died with a call on the wire": (
        lambda f: (
            f.jobs(20),
            f.errors(OutcomeUnknown("x"), 1),
            f.happened("unknown_attempts"),
        ),
        "unknown_attempts dead_letters",
    ),
    "the audit log is away": (lambda f: (f.jobs(20), f.happened("audit_failures")), "audit"),
    "Chroma is away": (lambda f: (f.jobs(20), f.happened("index_failures")), "semantic"),
}


def judged(redis_url, script):
    fleet = ScriptedFleet(redis_url)
    script(fleet)
    ledger = connection(redis_url)
    verdict = Health(ledger, HealthSettings()).check()
    ledger.close()
    fleet.redis.close()
    return verdict


@pytest.mark.parametrize("words", WELL)
def test_a_fleet_that_is_well_alarms_nobody(redis_url, words):
    verdict = judged(redis_url, WELL[words])
    assert (verdict.status, verdict.findings) == ("ok", ())


@pytest.mark.parametrize("words", ILL)
def test_a_fleet_that_is_ill_is_told_so_with_what_to_do(redis_url, words):
    script, names = ILL[words]
    verdict = judged(redis_url, script)
    assert verdict.status in ("degraded", "down")
    assert {finding.name for finding in verdict.findings} == set(names.split())
    for finding in verdict.findings:
        assert "Fix: " in finding.text or "See: " in finding.text


OUTAGES = {
    "no worker": lambda f: (f.jobs(20), f.submit("u0", 5), f.redis.delete(KEYS.workers)),
    "circuit": lambda f: (
        f.jobs(20),
        f.errors(DOWN, 10),
        f.calls("unavailable", 5),
        f.refuse("m"),
        f.wait_for("m"),
    ),
    "circuit: both": lambda f: (
        f.jobs(20),
        f.calls("unavailable", 30, "other"),
        f.refuse("m", "other"),
        f.wait_for("m", "other"),
    ),
}


@pytest.mark.parametrize("name", OUTAGES)
def test_a_complete_outage_is_down_and_told_first(redis_url, name):
    """Whatever else it brings with it; the line ends with what to do."""
    verdict = judged(redis_url, OUTAGES[name])
    assert verdict.status == "down"
    first = verdict.findings[0]
    assert first.name == name.partition(":")[0].replace("no worker", "no_workers")
    assert "Fix: " in first.text


def test_one_link_of_two_is_no_outage(redis_url):
    verdict = judged(redis_url, lambda f: (f.jobs(20), f.refuse("other"), f.wait_for("other")))
    assert (verdict.status, verdict.findings[0].name) == ("degraded", "circuit")


def test_who_waits_for_room_at_a_link_is_not_told_to_start_workers(redis_url):
    fleet = ScriptedFleet(redis_url, pace={"p:m": {"requests": 1}})
    fleet.jobs(1)
    for job_id in fleet.submit("waiting", 3):
        fleet.reserve(fleet.start(job_id), "m")
        fleet.redis.hincrby(KEYS.job(job_id), "since", -300_000)
    ledger = connection(redis_url)
    (finding,) = Health(ledger, HealthSettings()).check().findings
    ledger.close()
    fleet.redis.close()
    assert finding.name == "queue"
    assert "that one for room at p:m. Fix: a higher limit" in finding.text


def test_jobs_at_a_cap_are_counted_as_waiting(redis_url):
    """Of a user, and of a group's members; none of them says that there are too few slots."""
    fleet = ScriptedFleet(redis_url)
    fleet.stand_at_cap(300, 10)
    fleet.limits.change(Subject("group", "team"), in_flight=2)
    for member in ("m1", "m2", "m3"):
        fleet.limits.change(Subject("user", member), group="team")
        fleet.submit(member, 4, lane="batch")
    ledger = connection(redis_url)
    snapshot = Health(ledger, HealthSettings()).check().snapshot
    ledger.close()
    assert snapshot.waiting == {"interactive": 9, "batch": 10}
    assert snapshot.oldest_s["interactive"] == 0
    fleet.redis.close()


def table():
    rows = [f"| {words} | ok | |" for words in WELL]
    rows += [
        f"| {words} | ill | `{'`, `'.join(names.split())}` |" for words, (_, names) in ILL.items()
    ]
    return "\n".join(["| fleet | health | findings |", "|---|---|---|", *rows])


def test_the_page_has_the_table():
    assert table() in (ROOT / "docs/operations.md").read_text(), table()
