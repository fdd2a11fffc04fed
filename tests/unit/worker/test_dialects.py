"""Which dialect a link's server speaks, and what is said and understood in it."""

import pytest

from producer.contract.requests import CompletionRequest
from worker.providers.dialects import DIALECTS, dialect_of
from worker.providers.openai_answers import read
from worker.providers.openai_messages import messages_of
from worker.settings import Link


@pytest.mark.parametrize(
    ("provider", "url", "dialect"),
    [
        ("openai", None, "openai"),
        ("openai", "https://eu.api.openai.com/v1", "openai"),
        ("openai", "http://gateway.internal/v1", "openai"),
        ("openai", "http://127.0.0.1:11434/v1", "ollama"),
        ("corp", "https://corp.openai.azure.com/openai/v1", "azure"),
        ("corp", "https://api.mistral.ai/v1", "mistral"),
        ("vllm", "https://api.x.ai/v1", "xai"),
        ("corp", "https://notapi.x.ai/v1", "compatible"),
        ("corp", "https://api.x.ai.example.com/v1", "compatible"),
        ("corp", "https://OpenRouter.ai/api/v1", "openrouter"),
        ("corp", "https://api.deepseek.com", "deepseek"),
        ("corp", "https://api.groq.com/openai/v1", "groq"),
        ("local", "http://10.0.0.1:8080", "llamacpp"),
        ("local", "http://[::1]:8000/v1", "vllm"),
        ("sglang", "http://10.0.0.1:8000/v1", "sglang"),
        ("ollama-big", "http://gpu/v1", "ollama"),
        ("local", "http://gpu/v1", "compatible"),
    ],
)
def test_a_dialect_is_guessed(provider, url, dialect):
    """The host knows best, then the link's name, then the port."""
    link = Link(provider=provider, model="m", adapter="openai", base_url=url)
    assert dialect_of(link) == dialect


def test_a_stated_dialect_is_not_guessed():
    link = Link(
        provider="openai",
        model="m",
        adapter="openai",
        base_url="https://api.mistral.ai/v1",
        dialect="tgi",
    )
    assert dialect_of(link) == "tgi"


def test_no_two_dialects_share_a_port_or_a_host():
    ports = [each.port for each in DIALECTS.values() if each.port]
    hosts = [host for each in DIALECTS.values() for host in each.hosts]
    assert len(set(ports)) == len(ports)
    assert len(set(hosts)) == len(hosts)


CALL = {"id": "call_0123456789", "function": {"name": "f", "arguments": "{}"}}
CONVERSATION = [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": "Hi", "name": "ada"},
    {"role": "assistant", "tool_calls": [CALL, CALL | {"id": "AbCd56789"}]},
    {"role": "tool", "content": "1", "tool_call_id": "call_0123456789"},
    {"role": "tool", "content": "2", "tool_call_id": "AbCd56789"},
]


def said(dialect):
    return messages_of(CompletionRequest.checked(messages=CONVERSATION), DIALECTS[dialect])


def test_openai_is_sent_what_was_asked():
    sent = said("openai")
    assert [each["role"] for each in sent] == [each["role"] for each in CONVERSATION]
    assert sent[1]["name"] == "ada"
    assert [call["id"] for call in sent[2]["tool_calls"]] == ["call_0123456789", "AbCd56789"]


@pytest.mark.parametrize("dialect", ["mistral", "deepseek", "groq", "vllm", "compatible"])
def test_a_developer_speaks_as_the_system_where_that_role_is_not_known(dialect):
    assert said(dialect)[0] == {"role": "system", "content": "Be brief."}


def test_mistral_gets_no_names_and_ids_of_nine_characters():
    """A call and its result keep the same id, and one that fits is left as it is."""
    sent = said("mistral")
    first, second = (call["id"] for call in sent[2]["tool_calls"])
    assert "name" not in sent[1]
    assert len(first) == 9
    assert first.isalnum()
    assert second == "AbCd56789"
    assert [each["tool_call_id"] for each in sent[3:]] == [first, second]


MARK = {"type": "ephemeral"}
DECLINED = [
    {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": MARK}]},
    {
        "role": "assistant",
        "content": "",
        "refusal": "No.",
        "reasoning_content": "Hm.",
        "reasoning_details": [{"data": "x"}],
    },
]


@pytest.mark.parametrize(
    ("dialect", "marked", "answer"),
    [
        ("openai", False, {"content": "", "refusal": "No."}),
        ("openrouter", True, {"content": "No.", "reasoning_details": [{"data": "x"}]}),
        ("deepseek", False, {"content": "No.", "reasoning_content": "Hm."}),
        ("compatible", False, {"content": "No."}),
    ],
)
def test_what_only_some_servers_know_goes_to_them(dialect, marked, answer):
    """A refusal is text elsewhere, and thoughts and marks are left out."""
    request = CompletionRequest.checked(messages=[*DECLINED, *CONVERSATION])
    sent = messages_of(request, DIALECTS[dialect])
    assert ("cache_control" in sent[0]["content"][0]) == marked
    assert sent[1] == {"role": "assistant"} | answer


def test_where_a_message_has_no_name_the_user_s_is_in_the_text():
    assert said("groq")[1] == {"role": "user", "content": "ada: Hi"}


def test_a_tool_s_error_is_said_in_words():
    result = CONVERSATION[3] | {"is_error": True}
    parts = CONVERSATION[4] | {"is_error": True, "content": [{"type": "text", "text": "2"}]}
    request = CompletionRequest.checked(messages=[*CONVERSATION[:3], parts, result])
    sent = messages_of(request, DIALECTS["openai"])
    assert sent[3]["content"] == "Error: 1"
    assert [part["text"] for part in sent[4]["content"]] == ["Error:", "2"]


def body(text="Paris.", **usage):
    message = {"role": "assistant", "content": text}
    return [{"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}]


@pytest.mark.parametrize(
    ("dialect", "text", "left"),
    [
        ("ollama", "<think>Hm.</think>\n\nParis.", "Paris."),
        ("vllm", "\n<think>Hm.</think>Paris.", "Paris."),
        ("vllm", "It ends with </think>, they say.", "It ends with </think>, they say."),
        ("openai", "<think> is a tag.</think>", "<think> is a tag.</think>"),
        ("compatible", "<think>Hm.</think>Paris.", "<think>Hm.</think>Paris."),
    ],
)
def test_thoughts_at_the_beginning_are_reasoning_where_the_server_hands_them_on(
    dialect, text, left
):
    answer = read(body(text), "auto", "my-own-model", DIALECTS[dialect])
    assert answer.text == left


@pytest.mark.parametrize(
    ("dialect", "total", "output"),
    [("openai", None, 50), ("xai", None, 70), ("xai", 80, 70), ("xai", 60, 50)],
)
def test_reasoning_is_counted_apart_where_the_server_is_known_for_it(dialect, total, output):
    """Unless a total says what is counted."""
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 50,
        "completion_tokens_details": {"reasoning_tokens": 20},
        "total_tokens": total,
    }
    assert read(body(**usage), "auto", "m", DIALECTS[dialect]).stated.usage.output == output
