"""How much of a batch is in the ledger: what many items have is there once."""

from producer.contract.stored_texts import LARGE_BYTES
from producer.filling import Asked
from producer.window import Window

PICTURE = "x" * LARGE_BYTES


def about(*parts):
    return [{"role": "user", "content": [{"type": "text", "text": part} for part in parts]}]


def test_a_text_that_items_share_counts_until_the_last_of_them_has_ended():
    window = Window()
    for job_id in "abc":
        window.add(job_id, about("What is it?", PICTURE, PICTURE))
    small = (window.size - LARGE_BYTES) / 3
    assert (len(window), 10 < small < 100) == (3, True)
    window.drop("a")
    window.drop("a")
    window.drop("unknown")
    assert window.size == LARGE_BYTES + 2 * small
    window.drop("b")
    window.drop("c")
    assert (len(window), window.size) == (0, 0)


def test_an_item_that_is_added_again_counts_once():
    window = Window()
    for _ in range(2):
        window.add("a", about(PICTURE[:-1]))
    assert LARGE_BYTES <= window.size < LARGE_BYTES + 100


def test_sizes_are_bytes_and_half_characters_are_no_error():
    window = Window()
    window.add("a", ["ü" * LARGE_BYTES, "\ud83d", None, 7])
    assert 2 * LARGE_BYTES < window.size < 2 * LARGE_BYTES + 50


def test_a_documents_text_counts():
    window = Window()
    window.add("a", Asked({"messages": about("Summarise.")}, PICTURE).about)
    assert window.size > LARGE_BYTES
