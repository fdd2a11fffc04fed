"""Every error survives being stored by Celery and the ledger, and shows no part of an answer."""

import pickle

import pytest

from producer.contract.errors import BY_NAME, TREE, JobError, Truncated


@pytest.mark.parametrize("cls", TREE)
def test_every_error_round_trips(cls):
    """The same error comes back from each way in which it is stored.

    Celery rebuilds `class(*args)`, prefork pickles, the ledger writes JSON.
    """
    error = cls("why", {"limit": "x", "attempts": [{"link": "a", "fault": "b"}]})
    for copy in (
        type(error)(*error.args),
        pickle.loads(pickle.dumps(error)),
        JobError.from_wire(error.to_wire()),
    ):
        assert type(copy) is cls
        assert (copy.message, copy.details) == (error.message, error.details)


def test_a_truncated_answer_is_in_the_error_but_not_in_its_text():
    """The partial text is for the caller, not for logs."""
    error = Truncated("cut", {"partial_text": "ANSWER"})
    assert error.partial_text == "ANSWER"
    assert "ANSWER" not in str(error) + repr(error)


def test_an_error_of_a_newer_version_is_still_a_job_error():
    """A reader of an older version raises the base class, not KeyError."""
    assert type(JobError.from_wire({"type": "Novel", "args": ["x", {}]})) is JobError


def test_the_tree_is_closed():
    """Every subclass a caller can meet is listed, so that a round trip finds it."""
    public = {cls.__name__ for cls in _descendants(JobError) if not cls.__name__.startswith("_")}
    assert public == set(BY_NAME)


def _descendants(cls):
    for child in cls.__subclasses__():
        yield child
        yield from _descendants(child)
