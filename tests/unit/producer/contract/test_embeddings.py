"""Requests for vectors: what is asked, what is wrong with it, and what callers get."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.contract.completions import Completion, Usage
from producer.contract.embeddings import (
    MOST_TEXTS,
    OPTIONS,
    Embeddings,
    as_texts,
    called_with,
    compact,
    request_fields,
)
from producer.contract.errors import InvalidRequest
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Submission


def asked(*arguments, **options):
    return CompletionRequest.checked(**request_fields(*arguments, **options))


def answer(rows):
    return Completion(
        text="",
        vectors=rows and compact([array("f", row) for row in rows]),
        finish_reason="stop",
        model="m",
        provider="p",
        usage=Usage(input=3),
        cost_usd=0.5,
        attempts=1,
        latency_ms=1,
        request_id="j",
    )


def test_texts_are_the_messages_of_a_request_that_older_workers_leave_alone():
    request = asked(["a", "b"], 4, model="openai:text-embedding-3-small", lane="batch")
    assert request.sole_texts == ["a", "b"]
    assert (request.embedding.dimensions, request.lane, request.wire) == (4, "batch", 3)
    assert asked("one").sole_texts == ["one"]
    again = CompletionRequest.model_validate_json(request.to_json())
    assert again == request


def test_what_is_asked_shapes_the_fingerprint_and_nothing_else_does():
    prints = {
        asked(["a", "b"]).fingerprint(),
        asked(["b", "a"]).fingerprint(),
        asked(["a", "b"], 4).fingerprint(),
        asked(["a", "b"], model="m").fingerprint(),
        CompletionRequest.checked(
            messages=[{"role": "user", "content": text} for text in "ab"]
        ).fingerprint(),
    }
    assert len(prints) == 5
    assert asked(["a", "b"], tags=["x"], lane="batch").fingerprint() in prints


@pytest.mark.parametrize(
    ("texts", "options", "words"),
    [
        ([], {}, "texts: 0 texts"),
        (["x"] * (MOST_TEXTS + 1), {}, "texts: 2,049 texts"),
        (["x", ""], {}, "texts[1]: is empty"),
        (["x", " \n"], {}, "texts[1]: is empty"),
        (["x", 7], {}, "texts[1]: is a int"),
        (None, {}, "texts: needs a list of texts, this one is a NoneType"),
        ({"a": 1}, {}, "texts: needs a list of texts, this one is a dict"),
        (["x"], {"dimensions": 0}, "dimensions: "),
        (["x"], {"dimensions": "8"}, "dimensions: "),
        (["x"], {"temperature": 0}, "temperature: not an option of embed"),
        (["x"], {"modle": "m"}, "modle: not an option of embed"),
        (["x", "a\x00b"], {}, "texts[1]: holds the control character U+0000"),
        (["x"], {"lane": "fast"}, "lane: "),
    ],
)
def test_what_is_wrong_is_told_with_its_place(texts, options, words):
    with pytest.raises(InvalidRequest) as caught:
        asked(texts, **options)
    error = as_texts(caught.value)
    assert str(error).startswith(words)
    assert error.details["fields"] == [words.partition(":")[0]]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.sampled_from([*OPTIONS, "texts", "user_id", "dimensions", 7]), inner)
    ),
    max_leaves=6,
)


@given(anything, anything)
@settings(max_examples=300)
def test_whatever_the_arguments_are_the_error_says_what_is_wrong(args, kwargs):
    told = None
    try:
        fields = called_with(args, kwargs)
        Submission.from_call("job-1", (), fields, {})
    except InvalidRequest as error:
        told = str(as_texts(error))
    assert told != ""


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((["a"], "u", "m"), {}, "embed takes two positional arguments"),
        ((["a"],), {"texts": ["b"]}, "texts: given twice"),
        ((), {"user_id": "u"}, "texts: required and missing"),
        (None, {7: 1}, "kwargs: needs a dict"),
    ],
)
def test_a_wrong_call_is_told(args, kwargs, words):
    with pytest.raises(InvalidRequest, match=words):
        called_with(args, kwargs)


def test_vectors_are_lists_arrays_and_bytes():
    rows = [[0.5, -0.25, 1.0], [0.0, 2.0, 3.5]]
    found = Embeddings.of(answer(rows))
    assert found.vectors == rows
    assert [each.tolist() for each in found.arrays] == rows
    assert (len(found), found.dimensions, len(found.data)) == (2, 3, 24)
    assert (found.usage.input, found.cost_usd, found.request_id) == (3, 0.5, "j")
    assert "0.5, -0.25" not in repr(found)
    assert str(found.data[:4]) not in repr(found)


def test_an_answer_with_text_has_no_vectors():
    with pytest.raises(InvalidRequest, match="answers with text"):
        Embeddings.of(answer(None))
    assert "vectors" not in answer(None).model_dump()
