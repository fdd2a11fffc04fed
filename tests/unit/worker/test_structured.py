"""Answers that must be JSON are looked at, asked for again if they are not, and given parsed."""

import pytest
from pydantic import BaseModel
from support.pipelines import Harness

from producer.contract.completions import Usage
from producer.contract.history import PastAttempt
from producer.contract.requests import CompletionRequest
from worker.ledger.attempt import Attempt
from worker.pipeline import AskAgain
from worker.providers import Reply

SCHEMA = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0}},
    "required": ["age"],
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
OBJECT = {"type": "json_object"}


@pytest.fixture
def answered():
    """`answered(text, ...)`: the completion, or how the attempt is noted; and what was asked."""
    harness = Harness()

    def answered_(text, wanted=FORMAT, tried=(), retries=1, finish="stop", others=(), **limits):
        harness.pipeline._settings = harness.pipeline._settings.model_copy(
            update={"structured_retries": retries}
        )
        calls = []

        def call(link, call):
            calls.append(call)
            usage = Usage(input=5, output=7)
            return Reply(text, finish, "m", usage, others=others)

        harness.chain._clients.call = call
        tried = [(*each, *[""] * (6 - len(each))) for each in tried]
        job = harness.job("hello", tried=tried, response_format=wanted, on_truncation="accept")
        try:
            return harness.run(job, Attempt()), calls[0].request
        except AskAgain as again:
            return again.fault, calls[0].request

    yield answered_
    harness.loop.close()


def test_an_answer_that_fits_is_given_parsed(answered):
    completion, _ = answered('{"age": 7}')
    assert (completion.validated, completion.parsed) == (True, {"age": 7})
    assert "'age'" not in repr(completion)


@pytest.mark.parametrize(
    ("text", "wanted", "noted"),
    [
        ("seven", FORMAT, "unfit::no_json"),
        ('{"age": -1}', FORMAT, "unfit::schema::properties.age.minimum"),
        ('{"age": "secret"}', FORMAT, "unfit::schema::properties.age.type"),
        ("{}", FORMAT, "unfit::schema::required"),
        ("[1]", OBJECT, "unfit::schema::type"),
        ("```json\n{}\n```", OBJECT, "unfit::no_json"),
    ],
)
def test_one_that_does_not_is_asked_for_again_with_what_was_wrong(answered, text, wanted, noted):
    """By the place in the caller's schema; nothing of the answer is kept."""
    fault, first = answered(text, wanted)
    assert fault == noted
    assert len(first.messages) == 1
    past = PastAttempt.read(f"simulator:big={fault}")
    completion, second = answered('{"age": 7}', wanted, tried=[past])
    assert completion.validated
    hint = second.messages[-1].content
    assert len(second.messages) == 2
    assert (past.param or "no JSON") in hint
    assert "secret" not in hint


def test_the_last_one_is_given_out_with_a_flag(answered):
    """Where no more tries are left, or none is wanted, or may be mended."""
    unfit = ("simulator:big", "unfit")
    for options in (
        {"tried": [unfit]},
        {"retries": 0},
        {"retries": 2, "tried": [unfit, unfit]},
        {"finish": "length"},
    ):
        completion, _ = answered("seven", **options)
        assert (completion.validated, completion.parsed, completion.text) == (False, None, "seven")
    assert answered("seven", retries=2, tried=[unfit])[0] == "unfit::no_json"


def test_one_that_cannot_be_checked_is_not_asked_for_again(answered):
    completion, _ = answered("[" * 2000 + "]" * 2000, OBJECT)
    assert completion.parsed is None


def test_what_no_form_is_asked_of_is_not_looked_at(answered):
    completion, _ = answered("seven", None)
    assert (completion.validated, completion.parsed) == (False, None)


class Person(BaseModel):
    name: str
    age: int = 3


class Anything(BaseModel):
    fields: dict[str, int]


def asked(model):
    messages = [{"role": "user", "content": "x"}]
    return CompletionRequest.checked(messages=messages, response_format=model)


def test_a_pydantic_model_is_its_schema():
    """Strict, unless its objects have names of their own."""
    found = asked(Person).response_format.json_schema
    assert (found.name, found.strict) == ("Person", True)
    assert found.schema_ == Person.model_json_schema()
    assert asked(Anything).response_format.json_schema.strict is False


def test_the_answer_is_an_instance_of_the_model(answered):
    completion, _ = answered('{"name": "Ann"}', Person)
    assert completion.parsed == {"name": "Ann"}
    assert completion.parsed_as(Person).parsed == Person(name="Ann")
    assert completion.parsed_as(Person).model_dump() == completion.model_dump()
