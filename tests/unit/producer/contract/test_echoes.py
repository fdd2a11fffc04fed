"""What an SDK gives back of an answer is a message of the next request, as it is."""

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionMessage

from producer.contract.errors import InvalidRequest
from producer.contract.requests import CompletionRequest
from producer.contract.tool_turns import unpaired

USER = {"role": "user", "content": "hi"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CITATION = {
    "type": "url_citation",
    "url_citation": {"start_index": 0, "end_index": 5, "title": "t", "url": "https://e.org"},
}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "1"}


def checked(*messages, **fields):
    return CompletionRequest.checked(messages=[USER, *messages], **fields)


def answer(**message):
    """As OpenAI's SDK reads and dumps it, fields that it does not know included."""
    body = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant"} | message}
        ],
    }
    return ChatCompletion.model_validate(body).choices[0].message


@pytest.mark.parametrize(
    "message",
    [
        {"content": "Paris."},
        {"content": "Paris.", "refusal": None, "annotations": [], "audio": None},
        {"content": None, "refusal": "I will not."},
        {"content": None},
        {"content": ""},
        {"content": "Paris.", "annotations": [CITATION]},
        {"content": "Paris.", "reasoning_content": "Hm."},
        {
            "content": "Paris.",
            "reasoning": "Hm.",
            "reasoning_details": [{"type": "x", "data": "y"}],
        },
        {"content": "{}", "parsed": {"a": 1}},
        {"content": "Paris.", "tool_calls": []},
    ],
)
@pytest.mark.parametrize("dumped", [True, False], ids=["dumped", "as it is"])
def test_an_answer_can_be_sent_back(message, dumped):
    said = answer(**message)
    if dumped:
        said = said.model_dump(warnings=False)
    request = checked(said, USER)
    assert request.messages[1].content == message["content"]
    assert request.messages[1].refusal == message.get("refusal")


def test_an_answer_that_calls_tools_can_be_sent_back():
    call = CALL | {"index": 0, "function": CALL["function"] | {"parsed_arguments": {}}}
    said = answer(content=None, tool_calls=[call]).model_dump(warnings=False)
    request = checked(said, RESULT)
    assert [each.model_dump() for each in request.messages[1].tool_calls] == [CALL]


def test_what_is_read_can_be_read_again():
    """A request's own messages are messages."""
    said = ChatCompletionMessage(role="assistant", content=None, refusal="No.")
    request = checked(said.model_dump(), USER)
    again = CompletionRequest.checked(messages=list(request.messages))
    dumped = CompletionRequest.checked(messages=[each.model_dump() for each in request.messages])
    assert request == again == dumped


def test_functions_from_before_tools_are_tools():
    """Each result goes to the last call of its function."""
    call = {"role": "assistant", "content": None, "function_call": CALL["function"]}
    result = {"role": "function", "name": "f", "content": "1"}
    request = checked(call, result, call, result | {"content": "2"})
    first, _, second, _ = request.messages[1:]
    ids = [first.tool_calls[0].id, second.tool_calls[0].id]
    assert len(set(ids)) == 2
    assert [each.tool_call_id for each in request.messages if each.role == "tool"] == ids


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ({"role": "assistant", "content": "x", "mood": None}, ""),
        ({"role": "assistant", "content": "x", "mood": "bad"}, "messages[1].mood"),
        ({"role": "user", "content": "x", "annotations": [1]}, "messages[1].annotations"),
        ({"role": "user", "content": "x", "refusal": "no"}, "messages[1]"),
        ({"role": "user", "content": "x", "is_error": True}, "messages[1]"),
        ({"role": "user", "content": None}, "messages[1]"),
        ({"role": "assistant", "content": None, "audio": {"id": "SECRET"}}, "messages"),
        ({"role": "assistant", "content": None, "function_call": 7}, "messages[1].function_call"),
        ({"role": "assistant", "tool_calls": [7]}, "messages[1].tool_calls[0]"),
        ({"role": "tool", "content": "x"}, "messages[1]"),
        ({"role": "tool", "content": "x", "tool_call_id": "c9"}, "messages[1].tool_call_id"),
        ({"role": "function", "content": "x", "name": "f"}, "messages[1].tool_call_id"),
        ({"role": "function", "content": "x"}, "messages[1].tool_call_id"),
        ({"role": "assistant", "tool_calls": [CALL]}, "messages[1].tool_calls"),
        (7, "messages[1]"),
        (None, "messages[1]"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(message, place):
    """What is not known is no echo, unless it says nothing."""
    if not place:
        checked(message)
        return
    with pytest.raises(InvalidRequest) as caught:
        checked(message)
    assert any(each.startswith(place) for each in caught.value.details["fields"]), caught.value
    assert "SECRET" not in str(caught.value)


def test_an_old_request_keeps_its_fingerprint_and_its_wire_version():
    """Answers that are cached stay so, and old workers read it."""
    request = checked({"role": "assistant", "content": [{"type": "text", "text": "x"}]}, USER)
    assert request.wire == 1
    assert request.fingerprint() == (
        "1a00d4a9002eae3965a96c33de78f94201d420d576b64053675eabe8b96d5369"
    )


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": None},
        {"role": "assistant", "content": None, "refusal": "no"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {"role": "assistant", "content": "x", "reasoning_content": "hm"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}],
        },
    ],
)
def test_what_is_new_is_left_to_new_workers(message):
    assert checked(message).wire == 3


@pytest.mark.parametrize(
    ("roles", "alone"),
    [
        ("a(xy) x y", ""),
        ("a(xy) y x", ""),
        ("a(x) x a(x) x", ""),
        ("a(xx) x x", ""),
        ("a(xy) x u y", ""),
        ("a(x)", "messages[0].tool_calls"),
        ("a(xy) y", "messages[0].tool_calls"),
        ("x", "messages[0].tool_call_id"),
        ("a(x) x x", "messages[2].tool_call_id"),
        ("x a(x)", "messages[0].tool_call_id"),
    ],
)
def test_each_call_has_a_result_and_each_result_a_call(roles, alone):
    messages = []
    for each in roles.split():
        if each == "u":
            messages.append(USER)
        elif each.startswith("a"):
            calls = [CALL | {"id": call_id} for call_id in each[2:-1]]
            messages.append({"role": "assistant", "tool_calls": calls})
        else:
            messages.append(RESULT | {"tool_call_id": each})
    request = CompletionRequest.model_validate({"messages": messages})
    assert unpaired(request.messages)[0] == alone
