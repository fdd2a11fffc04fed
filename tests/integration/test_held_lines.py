"""Who waits for amounts that others hold is served in order; what one link costs too much for, a
cheaper one answers.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.ledger import KEYS

from producer.contract.errors import BudgetExceeded, JobError, RateLimited
from worker.budgets.overrides import FLEET, Subject
from worker.faults import Deferred
from worker.ledger.attempt import Attempt, Bill, Candidate
from worker.ledger.calls import Wait
from worker.settings import Link

LINKS = {name: Link(provider="p", model=name, adapter="simulator") for name in "abc"}
ALICE = Subject("user", "alice")
MICRO = 1_000_000
LONG_S = 250.0
"""So that no wait is over while a test goes on."""


class Wallet:
    """A fleet whose jobs cost what a test says; who is called, in order."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.called = []
        self.open = {}

    def ask(self, job_id, micro, tokens=1):
        """Whether it is called; else it is parked for what it waits for."""
        job, attempt = self.fleet.start(job_id), Attempt()
        try:
            self.fleet.quota.take_hold(job, attempt, [Candidate(LINKS["a"], 1, micro, tokens)])
        except Deferred as waits:
            wait = Wait(LONG_S, wakes_on=waits.wakes_on)
            self.fleet._release(self.fleet.ledger.park(job, attempt, wait))
            return False
        self.called.append(job_id)
        self.open[job_id] = job, attempt
        return True

    def end(self, job_id, micro=0):
        job, attempt = self.open.pop(job_id)
        attempt.billed(Bill("real", micro, 1))
        self.fleet._release(self.fleet.ledger.settle(job, attempt, JobError("done")))

    def released(self):
        """Ids that are to be started, since the last look."""
        self.fleet.sweep()
        found, self.fleet.released[:] = list(self.fleet.released), []
        return found


@pytest.fixture
def wallet(hand_run):
    def build(usd=100 / MICRO):
        found = Wallet(hand_run(slots=200))
        found.fleet.limits.change(FLEET, usd_per_day=usd)
        return found

    return build


def submitted(wallet, *users, **options):
    ids = [wallet.fleet.submit(user, **options)[0] for user in users]
    wallet.fleet.released.clear()
    return ids


def test_a_large_hold_is_not_overtaken_by_small_ones(wallet):
    found = wallet()
    first, large, *small = submitted(found, "u0", "u1", *[f"s{n}" for n in range(8)])
    assert found.ask(first, 60)
    assert not found.ask(large, 80)
    assert [found.ask(each, 10) for each in small] == [False] * 8
    found.end(first, 5)
    assert found.released() == [large]
    assert found.ask(large, 80)
    assert found.released() == small[:1]
    assert found.ask(small[0], 10)


def test_the_first_keeps_its_place_while_the_money_comes_back(wallet):
    """It is tried only once it may fit, and its wait is no refusal."""
    found = wallet()
    *running, large, small = submitted(found, *[f"u{n}" for n in range(4)], "large", "small")
    assert all(found.ask(each, 20) for each in running)
    assert not found.ask(large, 90)
    assert not found.ask(small, 10)
    for each in running[:3]:
        found.end(each)
        assert found.released() == []
    found.end(running[3])
    assert found.released() == [large]
    assert found.ask(large, 90)


@pytest.mark.parametrize("end", ["cancelled", "silent"])
def test_who_leaves_the_line_holds_nobody_up(wallet, end):
    found = wallet()
    first, large, small = submitted(found, "u0", "large", "small")
    assert found.ask(first, 60)
    assert not found.ask(large, 80)
    if end == "cancelled":
        found.fleet.ledger.cancel(large)
    else:
        [(budget, text)] = found.fleet.redis.hgetall(KEYS.held_lines).items()
        _, rest = text.split(":", 1)
        found.fleet.redis.hset(KEYS.held_lines, budget, f"1:{rest}")
    assert found.ask(small, 10)


def test_a_question_passes_a_batch_that_waits(wallet):
    found = wallet()
    (first,) = submitted(found, "u0")
    (item,) = submitted(found, "u1", lane="batch")
    (question,) = submitted(found, "u2")
    assert found.ask(first, 60)
    assert not found.ask(item, 80)
    assert found.ask(question, 10)


def test_a_line_of_one_user_holds_up_no_other(wallet):
    found = wallet(usd=1)
    found.fleet.limits.change(ALICE, usd_per_day=100 / MICRO)
    first, large, other = submitted(found, "alice", "alice", "bob")
    assert found.ask(first, 60)
    assert not found.ask(large, 80)
    assert found.ask(other, 50)


AMOUNTS = st.lists(st.integers(1, 100), min_size=3, max_size=20)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=AMOUNTS, ends=st.lists(st.integers(0, 10), min_size=60, max_size=60))
def test_everybody_is_called_whatever_they_hold(wallet, amounts, ends):
    """And no more is held than there is. Calls cost nothing in the end: all money comes back."""
    found = wallet()
    ids = submitted(found, *[f"u{n}" for n in range(len(amounts))])
    want = dict(zip(ids, amounts, strict=True))
    to_start = ids
    for turn in ends:
        for each in to_start:
            found.ask(each, want[each])
        held = sum(want[each] for each in found.open)
        assert held <= 100
        if found.open:
            found.end(list(found.open)[turn % len(found.open)])
        to_start = found.released()
    assert sorted(found.called) == sorted(ids)


def offers(**micro):
    """Links by name, and what a call of each costs at worst."""
    return [Candidate(LINKS[name], 1, amount, 1) for name, amount in micro.items()]


def take(found, candidates, user="alice"):
    job = found.fleet.start(found.fleet.submit(user)[0])
    return found.fleet.quota.take_hold(job, Attempt(), candidates).link.model


def test_a_link_that_fits_answers_where_a_dearer_one_is_refused(wallet):
    """Without dollars left, one that is free; among several the cheapest."""
    found = wallet(usd=1)
    found.fleet.limits.change(ALICE, usd_per_day=50 / MICRO)
    assert take(found, offers(a=40, b=20, c=0)) == "a"
    assert take(found, offers(a=60, b=9, c=4)) == "c"
    found.fleet.limits.change(ALICE, usd_per_day=0)
    assert take(found, offers(a=60, b=9, c=0)) == "c"
    with pytest.raises(BudgetExceeded, match="blocked"):
        take(found, offers(a=60, b=9))


@pytest.mark.parametrize("whose", [ALICE, Subject("group", "team"), FLEET], ids=str)
@pytest.mark.parametrize("period", ["usd_per_day", "usd_per_week", "usd_per_month"])
def test_a_free_link_answers_whoever_has_no_dollars_left(wallet, whose, period):
    """Tokens are no dollars: without any left no link answers."""
    found = wallet(usd=1)
    found.fleet.limits.change(ALICE, group="team")
    found.fleet.limits.change(whose, **{period: 50 / MICRO})
    (first,) = submitted(found, "alice")
    assert found.ask(first, 50)
    found.end(first, 50)
    assert take(found, offers(a=40, c=0)) == "c"
    found.fleet.limits.change(ALICE, tokens_per_hour=0)
    with pytest.raises(RateLimited, match="blocked"):
        take(found, offers(a=40, c=0))


def test_held_money_is_waited_for_and_not_saved(wallet):
    """It comes back: that is no reason for another link."""
    found = wallet(usd=1)
    found.fleet.limits.change(ALICE, usd_per_day=50 / MICRO)
    assert take(found, offers(a=40)) == "a"
    with pytest.raises(Deferred, match="held"):
        take(found, offers(a=40, c=0))
