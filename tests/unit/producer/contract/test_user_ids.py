"""Ids that mean one user are one, and no others."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.contract.errors import InvalidRequest
from producer.contract.submission import Submission
from producer.contract.user_ids import FORMS, alike, checked_user, forms_of

BOTH = frozenset(FORMS)
COMPOSED, TAKEN_APART = "Caf\u00e9", "Cafe\u0301"


@given(user_id=st.text(max_size=20), forms=st.sets(st.sampled_from(FORMS)))
def test_spelt_alike_twice_is_as_once(user_id, forms):
    once = alike(user_id, forms)
    assert alike(once, forms) == once
    if not forms:
        assert once == user_id


@given(user_id=st.text(max_size=20))
def test_all_spellings_are_one(user_id):
    same = {unicodedata.normalize(form, user_id) for form in ("NFC", "NFD")}
    same |= {each.casefold() for each in same}
    assert len({alike(each, BOTH) for each in same}) == 1


@pytest.mark.parametrize(
    ("forms", "one", "other", "same"),
    [
        ("", "Ann", "ann", False),
        ("casefold", "Ann", "ANN", True),
        ("casefold", "Stra\u00dfe", "STRASSE", True),
        ("casefold", COMPOSED, TAKEN_APART, False),
        ("nfc", COMPOSED, TAKEN_APART, True),
        ("nfc", "Ann", "ann", False),
        (" casefold , nfc ", COMPOSED.upper(), TAKEN_APART, True),
        ("casefold,nfc", "\u0345", "\u03b9", True),
        ("casefold,nfc", "ann", "anna", False),
    ],
)
def test_what_is_one_user(forms, one, other, same):
    assert (alike(one, forms_of(forms)) == alike(other, forms_of(forms))) == same


def test_an_id_is_checked_as_it_counts():
    assert (
        Submission.from_call(
            "j", ([{"role": "user", "content": "x"}], "ANN"), {}, {}, user_ids=BOTH
        ).user_id
        == "ann"
    )
    with pytest.raises(InvalidRequest, match="user_id"):
        checked_user("\u0390" * 128, {"casefold"})  # three signs each, folded
