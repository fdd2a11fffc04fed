"""Conversations in Anthropic's and Google's shapes are taken, and go back as they were."""

import pytest
from anthropic.types import Message as Said
from google.genai import types

from producer.contract.errors import InvalidRequest
from producer.contract.requests import CompletionRequest
from worker.providers import anthropic_messages, gemini_messages, openai_messages
from worker.providers.dialects import DIALECTS

MODEL = "claude-haiku-5-5"
PNG = "iVBORw0KGgo="
PDF = "JVBERi0xLjcK"
SAID = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": f"{MODEL}-20260901",
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "sealed"},
        {"type": "redacted_thinking", "data": "hidden"},
        {"type": "text", "text": "I look.", "citations": None},
        {"type": "tool_use", "id": "t1", "name": "look", "input": {"x": 1}},
        {"type": "tool_use", "id": "t2", "name": "look", "input": {}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
ASKED = [
    {"type": "text", "text": "Look."},
    IMAGE,
    {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
    {
        "type": "document",
        "title": "a.pdf",
        "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
        "cache_control": {"type": "ephemeral"},
    },
    {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
]
RESULTS = [
    {"type": "tool_result", "tool_use_id": "t2", "content": "gone", "is_error": True},
    {
        "type": "tool_result",
        "tool_use_id": "t1",
        "content": [{"type": "text", "text": "a hill"}, IMAGE],
    },
    {"type": "text", "text": "Go on."},
]


def checked(*messages):
    return CompletionRequest.checked(messages=list(messages))


@pytest.mark.parametrize("dump", [False, True], ids=["object", "dump"])
def test_anthropic_s_turns_go_back_as_they_were(dump):
    """Thoughts to their model, results in the order of their calls."""
    said = Said.model_validate(SAID)
    turns = [
        {"role": "user", "content": ASKED},
        said.model_dump() if dump else said,
        {"role": "user", "content": RESULTS},
    ]
    request = checked(*turns)
    roles = [message.role for message in request.messages]
    assert roles == ["user", "assistant", "tool", "tool", "user"]
    _, sent = anthropic_messages.conversation(request, False, MODEL)
    assert sent[0]["content"] == ASKED
    blocks = [dict(each) for each in SAID["content"]]
    del blocks[2]["citations"]
    assert sent[1]["content"] == blocks
    assert sent[2]["content"] == [RESULTS[1], RESULTS[0], RESULTS[2]]
    assert CompletionRequest.model_validate_json(request.to_json()) == request


def test_another_vendor_reads_anthropic_s_turns():
    request = checked(
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": SAID["content"]},
        {"role": "user", "content": [RESULTS[0], RESULTS[1] | {"content": "a hill"}]},
    )
    sent = openai_messages.messages_of(request, DIALECTS["openai"])
    assert [each["role"] for each in sent] == ["user", "assistant", "tool", "tool"]
    assert [each.get("content") for each in sent[1:]] == ["I look.", "a hill", "Error: gone"]
    assert "sealed" not in str(sent)


def test_google_s_turns_go_back_as_they_were():
    """Without ids, results are those of the calls of their functions, in order."""
    look = [types.Part.from_function_call(name="look", args={"x": n}) for n in range(2)]
    found = [
        types.Part.from_function_response(name="look", response={"result": f"hill {n}"})
        for n in range(2)
    ]
    failed = types.Part.from_function_response(name="go", response={"error": "no way"})
    go = types.Part.from_function_call(name="go", args={})
    asked = [
        types.Part(text="Look."),
        types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png"),
    ]
    turns = [
        types.Content(role="user", parts=asked),
        types.Content(role="model", parts=[types.Part(text="I look."), *look, go]),
        types.Content(role="user", parts=[failed, *found]),
    ]
    for given in (turns, [each.model_dump(mode="json") for each in turns]):
        request = checked(*given)
        _, contents = gemini_messages.conversation(request, "gemini-2.5-flash")
        sent = [types.Content.model_validate(each) for each in contents]
        assert sent[0] == turns[0]
        assert [p.function_call and p.function_call.args for p in sent[1].parts] == [
            None,
            {"x": 0},
            {"x": 1},
            {},
        ]
        said = [part.function_response.response for part in sent[2].parts]
        assert said == [{"result": "hill 0"}, {"result": "hill 1"}, {"error": "no way"}]


def test_google_s_files_and_sounds_are_parts():
    parts = [
        {"inlineData": {"mimeType": "audio/mpeg", "data": "AAAA"}},
        {"file_data": {"mime_type": "application/pdf", "file_uri": "https://example.org/a.pdf"}},
    ]
    (message,) = checked({"role": "user", "parts": parts}).messages
    sound, file = message.content
    assert (sound.input_audio.format, file.file.file_url) == ("mp3", "https://example.org/a.pdf")


USER = {"role": "user", "content": "q"}


def test_texts_of_openai_s_responses_are_texts():
    part = {"type": "output_text", "text": "Paris.", "annotations": [], "logprobs": None}
    item = {"type": "message", "id": "m", "role": "assistant", "status": "completed"}
    for turn in (item | {"content": [part]}, {"role": "assistant", "content": [part]}):
        (said,) = checked(USER, turn, USER).messages[1].content
        assert (said.type, said.text) == ("text", "Paris.")


@pytest.mark.parametrize(
    "turn",
    [
        {"role": "assistant", "content": [{"type": "server_tool_use", "id": "s"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": 7, "name": "f", "input": {}}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "name": "f", "input": {1: 2}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]},
        {"role": "user", "content": [{"type": "image", "source": 7}]},
        {"role": "user", "content": [IMAGE | {"citations": {"enabled": True}}]},
        {"role": "user", "content": [{"type": "search_result", "source": "x"}]},
        {"role": "model", "parts": [{"executable_code": {"code": "1"}}]},
        {"role": "model", "parts": 7},
        {"role": "user", "parts": [7]},
        {"role": "user", "parts": [{"video_metadata": {}}]},
        {"role": "user", "parts": [{"function_response": {"name": "f", "response": {}}}]},
    ],
)
def test_what_cannot_be_said_is_refused_with_its_place(turn):
    with pytest.raises(InvalidRequest) as caught:
        checked(USER, turn, USER)
    assert caught.value.details["fields"][0].startswith("messages[1]")
