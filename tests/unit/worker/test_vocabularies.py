"""A large text is counted in pieces, between which leases are renewed."""

import pytest

from worker.providers import vocabularies
from worker.providers.vocabularies import PIECE, count, pieces

WORDS = "The quick brown fox jumps over the lazy dog. " * 5_000
NAME = "o200k_base"


class Counted:
    """Stands before a vocabulary and notes how long each text was."""

    def __init__(self, vocabulary):
        self._vocabulary = vocabulary
        self.lengths = []

    def encode_ordinary(self, text):
        self.lengths.append(len(text))
        return self._vocabulary.encode_ordinary(text)


@pytest.fixture
def counted(monkeypatch):
    found = Counted(vocabularies.load(NAME))
    monkeypatch.setattr(vocabularies, "load", lambda name: found)
    return found


@pytest.mark.parametrize(
    "text", ["", "x" * PIECE, "x" * (PIECE + 1), " " * 3 * PIECE, WORDS, "漢" * 5 * PIECE]
)
def test_pieces_are_the_text_and_no_longer_than_they_may(text):
    parts = list(pieces(text))
    assert "".join(parts) == text
    assert max(map(len, parts)) <= PIECE


def test_words_are_counted_as_in_one_and_a_cut_adds_a_token_at_most(counted):
    whole = vocabularies._count_piece
    assert count(WORDS, NAME) == whole(WORDS, NAME)
    for text in ("a" * 10 * PIECE, "7" * 10 * PIECE, "\n" * 10 * PIECE, "é漢" * 5 * PIECE):
        assert 0 <= count(text, NAME) - whole(text, NAME) <= 10


def test_no_more_than_a_piece_is_counted_at_once(counted):
    count(WORDS, NAME)
    assert sum(counted.lengths) == len(WORDS)
    assert max(counted.lengths) <= PIECE
