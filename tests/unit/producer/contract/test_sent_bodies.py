"""Bodies as other libraries sent them to OpenAI's SDK are requests as they are.

Recorded from langchain-openai 1.7.4, instructor 1.17.0 and pydantic-ai 2.38.0 at a server of ours.
"""

import json
from pathlib import Path

import pytest

from producer.contract.requests import CompletionRequest

FILES = sorted((Path(__file__).parent / "sent_bodies").glob("*.json"))
BODIES = {
    f"{file.stem}: {name}": body
    for file in FILES
    for name, body in json.loads(file.read_text()).items()
}


def test_there_are_enough_of_each():
    assert len(BODIES) >= 60
    assert [file.stem for file in FILES] == ["instructor", "langchain", "pydantic-ai"]


@pytest.mark.parametrize("name", BODIES)
def test_it_is_taken_as_it_is(name):
    request = CompletionRequest.model_validate(BODIES[name])
    assert len(request.messages) == len(BODIES[name]["messages"])
    assert len(request.tools) == len(BODIES[name].get("tools") or BODIES[name].get("functions", []))
    assert CompletionRequest.checked(**BODIES[name]) == request
    assert CompletionRequest.model_validate_json(request.to_json()) == request
