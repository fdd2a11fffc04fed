"""Large texts of a request are stored apart, and come back to where they were."""

import json

from hypothesis import given
from hypothesis import strategies as st

from producer.contract.stored_texts import LARGE_BYTES, Together, put_together, taken_apart

texts = st.text(max_size=20) | st.builds(
    lambda letter, more: letter * (LARGE_BYTES - 2 + more),
    st.sampled_from("aé\U0001f600\n"),
    st.integers(0, 4),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), values, max_size=5))
def test_nothing_is_lost(request):
    text = json.dumps(request, ensure_ascii=False)
    stored, kept = taken_apart(text)
    together = put_together(stored, lambda hashes: [kept[sha] for sha in hashes])
    assert together.complete
    assert json.loads(together.request) == request
    assert all(len(each.encode()) >= LARGE_BYTES for each in kept.values())
    assert len(kept) == len(set(kept.values()))
    if not kept:
        assert stored == text


def test_a_text_that_stands_in_several_places_is_kept_once():
    picture = "data:image/png;base64," + "A" * 100_000
    request = json.dumps({"messages": [{"url": picture}, {"url": picture}]})
    stored, kept = taken_apart(request)
    assert list(kept.values()) == [picture]
    assert len(stored) < 400


def test_what_is_gone_is_told_and_left_empty():
    stored, kept = taken_apart(json.dumps({"a": "x" * LARGE_BYTES, "b": "y" * LARGE_BYTES}))
    first = next(iter(kept))
    together = put_together(
        stored, lambda hashes: [kept[h] if h == first else None for h in hashes]
    )
    assert together == Together(json.dumps({"a": "x" * LARGE_BYTES, "b": ""}), False)
