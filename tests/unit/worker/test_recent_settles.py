"""What is remembered for a server that restarts is bounded by bytes and time, not by count."""

import time

import pytest

from worker.ledger import recent_settles
from worker.ledger.job_functions import Settle
from worker.ledger.recent_settles import OVERHEAD_BYTES, RecentSettles


def settle(number, size=0):
    return Settle(
        id=f"j{number}",
        fence=1,
        state="done",
        outcome="x" * size,
        fault="",
        billing="none",
        micro=0,
        tokens=0,
        output=0,
        estimated=False,
        prompt_tokens=-1,
        prompt_micro=-1,
        booked_as="",
        says="",
        reason="",
        told_ms=0,
        opening_ms=0,
        limits="",
        saved_by="",
        saved_micro=0,
        near="",
        cache_key="",
        cache_entry="y" * size,
        cache_ms=0,
        items=(),
    )


def ids(kept):
    return [call.id for call in kept.recent()]


def test_large_answers_are_remembered_while_there_is_room():
    kept = RecentSettles(max_bytes=10_000_000)
    for number in range(100):
        kept.add(settle(number, 500_000))
        assert kept.bytes <= 10_000_000
    assert ids(kept) == [f"j{number}" for number in range(91, 100)]


def test_small_ones_are_all_remembered():
    kept = RecentSettles()
    for number in range(5_000):
        kept.add(settle(number, 100))
    assert len(ids(kept)) == 5_000


def test_the_newest_is_remembered_however_large():
    kept = RecentSettles(max_bytes=1_000)
    for number in range(3):
        kept.add(settle(number, 5_000))
        assert ids(kept) == [f"j{number}"]


@pytest.mark.parametrize("look", [RecentSettles.recent, RecentSettles.forget_old])
def test_the_old_are_let_go_without_a_new_one(monkeypatch, look):
    now = time.monotonic()
    monkeypatch.setattr(recent_settles.time, "monotonic", lambda: now)
    kept = RecentSettles(life_s=60)
    kept.add(settle(1, 100))
    now += 59
    kept.add(settle(2, 100))
    now += 2
    look(kept)
    assert kept.bytes == OVERHEAD_BYTES + 200
    assert ids(kept) == ["j2"]
