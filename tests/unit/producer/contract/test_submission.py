"""Every style of calling `complete` makes the same submission, or a clear error."""

from datetime import UTC, datetime, timedelta

import pytest

from producer.contract.errors import InvalidRequest
from producer.contract.publication import Publication
from producer.contract.submission import Submission

USER = [{"role": "user", "content": "hi"}]


def call(*args, options=None, **kwargs):
    return Submission.from_call("id", args, kwargs, options or {})


def test_positions_and_names_mean_the_same():
    """delay(messages, user) and delay(messages=..., user_id=...) are one request."""
    assert call(USER, "u", max_tokens=5) == call(messages=USER, user_id="u", max_tokens=5)


@pytest.mark.parametrize("user_id", [7, None, "", "x" * 129, ["u"], "a\nb"])
def test_a_wrong_user_id_says_how_to_fix_it(user_id):
    """Integers are refused, not converted: two spellings of one user would have two budgets."""
    with pytest.raises(InvalidRequest, match=r"str\(user.id\)"):
        call(USER, user_id)


def test_a_third_position_is_refused():
    """Options are named."""
    with pytest.raises(InvalidRequest, match="two positional"):
        call(USER, "u", "gpt")


def test_a_field_given_twice_is_refused():
    """As Python itself would."""
    with pytest.raises(InvalidRequest, match="given twice"):
        call(USER, "u", user_id="u")


def test_countdown_and_eta_are_a_delay_and_expires_a_deadline():
    """Celery's clocks become the ledger's."""
    soon = datetime.now(UTC) + timedelta(seconds=60)
    assert call(USER, "u", options={"countdown": 5}).delay_ms == 5000
    assert 55_000 < call(USER, "u", options={"eta": soon}).delay_ms <= 60_000
    assert 55_000 < call(USER, "u", options={"expires": soon.isoformat()}).deadline_ms <= 60_000
    assert call(USER, "u", deadline_s=3, options={"expires": 9}).deadline_ms == 3000


def test_an_expiry_in_the_past_is_a_deadline_already_passed():
    """0 would mean none."""
    assert call(USER, "u", options={"expires": -5}).deadline_ms == 1


def test_continuations_are_kept_as_plain_json():
    """Links, chains and groups survive every publication."""
    options = {"link": [{"task": "t"}], "group_id": "g", "chain": None, "producer": object()}
    assert call(USER, "u", options=options).continuation == {
        "link": [{"task": "t"}],
        "group_id": "g",
    }
    with pytest.raises(InvalidRequest, match="plain JSON"):
        call(USER, "u", options={"link": [object()]})


def test_a_queue_is_refused_in_favour_of_a_lane():
    """Routing is the lane's business."""
    with pytest.raises(InvalidRequest, match="lane"):
        call(USER, "u", options={"queue": "mine"})


def test_publications_are_read_in_threes():
    """As the ledger's functions reply."""
    triples = [["a", "batch", ""], ["b", "interactive", '{"link": []}']]
    publications = Publication.parse(triples)
    assert [(each.job_id, each.lane, each.continuation) for each in publications] == [
        ("a", "batch", {}),
        ("b", "interactive", {"link": []}),
    ]


@pytest.mark.parametrize(
    ("fields", "alone"), [({}, 1), ({"cache_scope": "user"}, 2), ({"n": 2}, 3)]
)
def test_a_continuation_needs_a_newer_worker_and_never_an_older_one(fields, alone):
    """Of two reasons for a version the newer one counts."""
    assert call(USER, "u", **fields).stored().item.wire == alone
    linked = call(USER, "u", **fields, options={"link": [{"task": "t"}]})
    assert linked.stored().item.wire == max(alone, 2)
