import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hostile_questions import hostile_pairs
from support.unseen_questions import PASSING, unseen_pairs

from worker.semantic.gate import Pass, compare
from worker.semantic.words import languages, read


def passed(one, two):
    return compare(read(one), read(two))[0]


@pytest.mark.parametrize("pair", hostile_pairs(), ids=lambda pair: f"{pair.kind}: {pair.two}")
def test_no_hostile_pair_passes_either_way(pair):
    assert passed(pair.one, pair.two) is Pass.NO
    assert passed(pair.two, pair.one) is Pass.NO


def test_of_pairs_that_it_was_not_made_for_few_pass():
    """And those only because a judge tells them; what passes is said in docs/caching.md."""
    pairs = unseen_pairs()
    assert len(set(pairs)) == 160
    either_way = [{passed(one, two), passed(two, one)} for one, two in pairs]
    passing = {one for (one, _), found in zip(pairs, either_way, strict=True) if found != {Pass.NO}}
    assert passing == PASSING


def test_hostile_pairs_are_300_of_all_kinds_in_six_languages():
    pairs = hostile_pairs()
    assert len(set(pairs)) == 300
    assert {pair.language for pair in pairs} == set(languages())
    kinds = {"numbers", "negations", "swaps", "opposites", "entities", "units", "dates", "code"}
    assert {pair.kind for pair in pairs} == kinds


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("What is the capital of Canada?", "Which city is Canada's capital?"),
        ("How do I enable 2FA?", "How do I turn on 2FA?"),
        ("What are your opening hours?", "When are you open?"),
        ("Can I get a refund within 30 days?", "Is a refund possible within 30 days?"),
        ("What is the best movie ever?", "Which is the best film ever?"),
        (
            "How long is the flight from Rome to Oslo?",
            "How much time is the flight from Rome to Oslo",
        ),
        ("Wie kann ich mein Passwort zurücksetzen?", "Wie setze ich mein Passwort zurück?"),
        ("Comment puis-je annuler mon abonnement?", "Comment annuler un abonnement?"),
        ("¿Cómo puedo cancelar mi cuenta?", "¿Cómo se cancela la cuenta?"),
        ("Is 5 kilometers far to run?", "Is 5 km far to run?"),
        ("How do I avoid a late fee?", "How can I prevent a late fee?"),
        ("Is 500 MB of data enough?", "Is 500 mb data enough?"),
        ("Wie schalte ich den Ton ein?", "Wie kann ich den Ton einschalten?"),
        ("How many miles is it to Rome?", "How many miles to Rome?"),
        ("Why doesn't my card work?", "Why does my card not work?"),
    ],
)
def test_restatements_pass(one, two):
    assert passed(one, two) is not Pass.NO


def test_a_restatement_is_told_from_what_only_may_be_one():
    assert passed("How do I reset my phone?", "Hello, how can I reset the phone") is Pass.RESTATES
    assert passed("How do I reset my phone?", "What resets a phone to factory state") is Pass.MAY


@given(st.text(max_size=300))
def test_any_text_is_read_and_restates_itself(text):
    words = read(text)
    assert compare(words, words)[0] is (Pass.RESTATES if words.content else Pass.MAY)


@given(st.text(max_size=80), st.text(max_size=80))
def test_both_ways_are_one(one, two):
    assert passed(one, two) == passed(two, one)
