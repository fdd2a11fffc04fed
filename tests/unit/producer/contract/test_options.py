"""`Options` says of each field of a request what a request takes."""

import types
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from producer.contract.embeddings import OPTIONS
from producer.contract.options import EmbedOptions, Options
from producer.contract.requests import CompletionRequest

HINTS = get_type_hints(Options)
FIELDS = get_type_hints(CompletionRequest, include_extras=False)
SET_BY_OTHERS = {"messages", "document", "plan", "embedding"}
"""By position, by `summarize` and by `embed`."""
ALSO = {"idempotency_key", "max_completion_tokens"}


def test_they_are_the_fields():
    assert HINTS.keys() == CompletionRequest.model_fields.keys() - SET_BY_OTHERS | ALSO


def test_those_of_embeddings_are_theirs():
    assert get_type_hints(EmbedOptions).keys() == OPTIONS | {"dimensions"}


def words(hint):
    """All literal values in it."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return {word for each in get_args(hint) for word in words(each)}


def kinds(hint):
    """What a value of it may be: numbers, texts, flags, or something larger."""
    if get_origin(hint) in (Union, types.UnionType):
        return {kind for each in get_args(hint) for kind in kinds(each)}
    if get_origin(hint) is Annotated:
        return kinds(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return {type(value) for value in get_args(hint)}
    return {hint} if hint in (int, float, str, bool) else {object}


@pytest.mark.parametrize("name", sorted(HINTS.keys() - ALSO))
def test_a_value_is_of_the_same_kind(name):
    assert words(HINTS[name]) == words(FIELDS[name])
    plain = {int, float, bool}
    assert kinds(HINTS[name]) & plain == kinds(FIELDS[name]) & plain


@pytest.mark.parametrize("name", sorted(HINTS.keys() - {"idempotency_key"}))
def test_none_is_as_if_it_was_not_said(name):
    messages = [{"role": "user", "content": "hi"}]
    plain = CompletionRequest.checked(messages=messages)
    assert CompletionRequest.checked(messages=messages, **{name: None}) == plain
