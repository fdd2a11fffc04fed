"""Limits set while all is running: overrides, groups with shared budgets and caps, the fleet; and
their command.
"""

from collections import Counter

import pytest
from click.testing import CliRunner
from support.ledger import KEYS, LedgerProbe

import producer
from producer.contract.errors import BudgetExceeded, InvalidRequest, JobError, RateLimited
from producer.contract.used_limits import NONE
from worker.budgets.overrides import FLEET, Subject
from worker.commands.limits import limits
from worker.ledger.attempt import POSSIBLY_BILLED
from worker.settings import QuotaSettings

ALICE, TEAM = Subject("user", "alice"), Subject("group", "team")


def one(fleet, user, tokens=100):
    """The next job of `user`, begun and attempted."""
    job_id = fleet.submit(user)[0]
    fleet.released.clear()
    job = fleet.start(job_id)
    fleet.reserve(job, "a", tokens=tokens)
    return job


def test_an_override_holds_from_the_next_reservation(hand_run):
    fleet = hand_run(slots=50, quota=QuotaSettings(tokens_per_hour=150))
    fleet.answer(one(fleet, "alice"))
    with pytest.raises(RateLimited, match="user_tokens_per_hour"):
        one(fleet, "alice")
    fleet.limits.change(ALICE, tokens_per_hour=1000)
    fleet.answer(one(fleet, "alice"))
    fleet.limits.change(ALICE, tokens_per_hour=NONE)
    fleet.answer(one(fleet, "alice", tokens=10_000_000))
    with pytest.raises(RateLimited):
        one(fleet, "bob", tokens=200)
    fleet.limits.reset(ALICE)
    with pytest.raises(RateLimited, match="100 tokens asked"):
        one(fleet, "alice")


def test_members_of_a_group_share_its_budget(hand_run):
    """Dollars of the day before the limit was set count; a user who left no longer draws on it;
    others never do. What is spent after a limit is lifted counts still, should it be set again.
    """
    fleet = hand_run(slots=50)
    for user in ("alice", "bob"):
        fleet.limits.change(Subject("user", user), group="team")
        fleet.answer(one(fleet, user))
    fleet.limits.change(TEAM, usd_per_day=0.000025, requests_per_minute=1)
    with pytest.raises(BudgetExceeded, match="group_usd_per_day") as caught:
        one(fleet, "bob")
    assert caught.value.details["used"] == 0.00002  # two answers of 10 micro-dollars
    fleet.answer(one(fleet, "carol"))
    fleet.limits.change(TEAM, usd_per_day=NONE)
    fleet.answer(one(fleet, "alice"))
    with pytest.raises(RateLimited, match="group_requests_per_minute"):
        one(fleet, "bob")
    fleet.limits.reset(Subject("user", "bob"))
    fleet.answer(one(fleet, "bob"))
    assert LedgerProbe.budget(fleet, "usd", "group", "team") == {"held": 0, "spent": 30, "maybe": 0}
    assert LedgerProbe.budget(fleet, "requests", "group", "team")["spent"] == 1


def test_the_fleets_dollars_can_be_cut_at_night(hand_run):
    fleet = hand_run(slots=50, quota=QuotaSettings(tokens_per_hour=None, usd_per_day=100))
    fleet.answer(one(fleet, "alice"))
    fleet.limits.change(FLEET, usd_per_day=0.00001)
    with pytest.raises(BudgetExceeded, match="usd_per_day"):
        one(fleet, "bob")


def test_what_is_used_of_a_limit_is_seen(hand_run):
    """Spent, possibly billed and held apart; also of a limit that only the settings give."""
    fleet = hand_run(slots=50, quota=QuotaSettings(tokens_per_hour=1000))
    fleet.limits.change(ALICE, usd_per_day=0.0001)
    fleet.answer(one(fleet, "alice"))
    one(fleet, "alice", tokens=50)
    lost = one(fleet, "alice", tokens=30)
    fleet.attempt_of(lost).billed(POSSIBLY_BILLED)
    fleet.ledger.settle(lost, fleet.attempt_of(lost), JobError("lost"))
    tokens, dollars = fleet.limits.current(ALICE).used
    assert (tokens.limit, tokens.allowed) == ("tokens_per_hour", 1000)
    assert (tokens.spent, tokens.maybe_billed, tokens.held) == (100, 30, 50)
    assert 3600 <= tokens.resets_in_s <= 3660
    assert (dollars.limit, dollars.allowed) == ("usd_per_day", 0.0001)
    assert (dollars.spent, dollars.maybe_billed, dollars.held) == (0.00001, 0.00001, 0.00001)
    assert 0 < dollars.resets_in_s <= 86_400


def test_a_web_app_sees_what_a_user_has_left(hand_run, redis_url):
    """Of the settings', the user's own and the group's limits."""
    fleet = hand_run(slots=50, quota=QuotaSettings(tokens_per_hour=1000))
    fleet.limits.change(ALICE, usd_per_month=2, group="team")
    fleet.limits.change(TEAM, requests_per_minute=9)
    fleet.answer(one(fleet, "alice"))
    producer.configure(redis_url)
    found = {(each.whose, each.limit): each for each in producer.limits("alice")}
    assert set(found) == {
        ("user", "tokens_per_hour"),
        ("user", "usd_per_month"),
        ("group", "requests_per_minute"),
    }
    tokens = found["user", "tokens_per_hour"]
    assert (tokens.allowed, tokens.spent, tokens.left) == (1000, 100, 900)
    assert found["user", "usd_per_month"].left == pytest.approx(1.99999)
    assert found["group", "requests_per_minute"].left == 8
    (stranger,) = producer.limits("nobody")
    assert (stranger.limit, stranger.left, stranger.resets_in_s) == ("tokens_per_hour", 1000, 0)
    with pytest.raises(InvalidRequest):
        producer.limits("")


def test_a_groups_cap_is_shared_by_its_members_in_turn(hand_run):
    """Two at once for the team, however many it asks for; each member gets its share, and others
    are not held up.
    """
    fleet = hand_run(slots=8)
    users = ["u1", "u2", "u3", "u4", "u5"]
    for user in users:
        fleet.limits.change(Subject("user", user), group="team")
    fleet.limits.change(TEAM, in_flight=2)
    for user in users:
        fleet.submit(user, 20)
    fleet.submit("other", 3)
    assert [job_id.partition("-")[0] for job_id in fleet.released][2:] == ["other"] * 3
    assert fleet.limits.current(TEAM).in_flight == 2
    served = Counter(fleet.serve(63))
    assert max(served[user] for user in users) - min(served[user] for user in users) <= 1
    while fleet.ended < len(fleet.released):
        fleet.end_one()
    assert len(fleet.released) == 103
    assert fleet.redis.hgetall(KEYS.group_in_flight) == {}


def test_a_raised_cap_is_noticed(hand_run):
    """Also when nothing of the group is in flight whose end could bring them back."""
    fleet = hand_run(slots=8)
    for user in ("u1", "u2"):
        fleet.limits.change(Subject("user", user), group="team")
    fleet.limits.change(TEAM, in_flight=1)
    fleet.submit("u1", 3)
    fleet.submit("u2", 3)
    fleet.limits.change(TEAM, in_flight=NONE)
    for _ in range(3):
        fleet.sweep()
    assert len(fleet.released) == 6


@pytest.mark.parametrize(
    "wrong",
    [
        {"usd_per_day": -0.000001},
        {"usd_per_day": -5},
        {"tokens_per_hour": -2},
        {"in_flight": 0},
        {"weight": 0},
    ],
)
def test_a_negative_limit_is_not_no_limit(hand_run, wrong):
    fleet = hand_run()
    with pytest.raises(ValueError, match="must be at least"):
        fleet.limits.change(ALICE, **wrong)
    assert fleet.limits.subjects() == []


@pytest.fixture
def command(redis_url, monkeypatch):
    monkeypatch.setenv("REDIS_URL", redis_url)
    return lambda *words: CliRunner().invoke(limits, words)


def test_limits_of_the_settings_are_shown(hand_run, command):
    """Those of every user and of the fleet, though nobody has any of their own."""
    settings = QuotaSettings(tokens_per_hour=150, user_usd_per_month=2.5, usd_per_day=9)
    hand_run(quota=settings)
    assert command("show").output.splitlines() == [
        "every user, by the settings: tokens_per_hour 150, usd_per_month 2.5",
        "the fleet: as the settings say; 0 in flight",
        "  usd_per_day: 0 of 9 spent, 0 possibly billed, 0 held; all of it is free again in 0 s",
        "Nobody has limits of their own.",
    ]


def test_the_command_sets_shows_and_resets(command):
    assert command("show").output == "Nobody has limits of their own.\n"
    assert (
        command("set", "alice", "--weight", "4", "--usd-per-day", "2.5", "--join", "team").exit_code
        == 0
    )
    assert (
        command(
            "set", "--group", "team", "--tokens-per-hour", "none", "--in-flight", "20"
        ).exit_code
        == 0
    )
    assert command("set", "--fleet", "--usd-per-day", "500").exit_code == 0
    assert command("show").output.splitlines() == [
        "the fleet: usd_per_day 500; 0 in flight",
        "  usd_per_day: 0 of 500 spent, 0 possibly billed, 0 held; all of it is free again in 0 s",
        "group team: in_flight 20, tokens_per_hour none; 0 in flight",
        "user alice: weight 4, usd_per_day 2.5, group team; 0 in flight, "
        "0 waiting in interactive, 0 waiting in batch",
        "  usd_per_day: 0 of 2.5 spent, 0 possibly billed, 0 held; all of it is free again in 0 s",
    ]
    assert command("reset", "alice").exit_code == 0
    assert command("show", "alice").output.startswith("user alice: as the settings say; ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["set", "alice"], "say what to set"),
        (["set", "--weight", "2"], "say whose"),
        (["set", "alice", "--group", "team", "--weight", "2"], "say whose"),
        (["set", "--group", "team", "--weight", "2"], "group team cannot have weight"),
        (["set", "alice", "--in-flight", "0"], "neither a whole number from 1 nor none"),
        (["set", "alice", "--usd-per-day", "much"], "neither a number from 0 nor none"),
        (["set", "alice", "--usd-per-day", "nan"], "neither a number from 0 nor none"),
        (["set", "alice", "--weight", "nan"], "weight must be a number, not nan"),
    ],
)
def test_wrong_words_are_refused(command, words, message):
    result = command(*words)
    assert result.exit_code == 2
    assert message in result.output
