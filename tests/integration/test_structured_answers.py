"""A pydantic model is asked for, and an instance of it is the answer."""

import asyncio

import pytest
from pydantic import BaseModel, Field
from support.ledger import ask


class Person(BaseModel):
    name: str
    age: int = Field(ge=0)


def told(text):
    return {"text": text, "finish": "ok", "usage": {}}


@pytest.fixture
def answers(wire):
    """Have the provider say these one after the other."""

    def answers_(*texts):
        left = list(texts)

        def script(request, number):
            wire.reply = told(left.pop(0) if len(left) > 1 else left[0])
            return "ok"

        wire.script = script

    return answers_


def test_a_wrong_answer_is_mended_within_the_job(complete, wire, answers, openai_env, start_worker):
    """Both calls are paid for; the second knows what was wrong with the first."""
    start_worker(openai_env)
    answers('{"name": "Ann", "age": -1}', '{"name": "Ann", "age": 7}')
    job = complete.delay(ask("Who?"), "u1", response_format=Person, temperature=0)
    completion = job.value(30)
    assert completion.parsed == Person(name="Ann", age=7)
    assert (completion.attempts, len(wire.calls)) == (2, 2)
    hint = wire.calls[1].request["messages"][-1]
    assert hint["role"] == "user"
    assert "properties.age.minimum" in hint["content"]
    assert wire.calls[0].request["response_format"]["json_schema"]["name"] == "Person"
    assert [each.fault for each in job.progress().history] == ["unfit", ""]
    # Elsewhere the model is not known; the answer that was mended is the cached one.
    assert complete.AsyncResult(job.id).value(5).parsed == {"name": "Ann", "age": 7}
    again = complete.delay(ask("Who?"), "u1", response_format=Person, temperature=0)
    assert again.value(30).cached

    async def awaited():
        return (await again).parsed

    assert asyncio.run(awaited()) == Person(name="Ann", age=7)
    (many,) = complete.many([ask("Who?")], "u1", response_format=Person, temperature=0)
    assert many.value(30).parsed == Person(name="Ann", age=7)


def test_the_last_wrong_answer_is_given_out_as_it_is(
    complete, wire, answers, openai_env, start_worker
):
    start_worker(openai_env)
    answers("seven")
    completion = complete.delay(ask("Who?"), "u1", response_format=Person).value(30)
    assert (completion.text, completion.parsed, len(wire.calls)) == ("seven", None, 2)
    assert completion.flags == ("schema: is no JSON",)
