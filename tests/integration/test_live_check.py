"""`completions check --live`: what is wrong with a link is said in words, and what it costs."""

import json

import pytest
from click.testing import CliRunner

from worker.commands.check import check


@pytest.fixture
def live(monkeypatch, wire):
    """Run the command over one link to the scripted server; returns (exit code, what it said)."""

    def live_(model="gpt-4o-mini", **env):
        settings = {
            "LLM_CHAIN": f"openai:{model}",
            "OPENAI_API_KEY": "sk-1",
            "OPENAI_BASE_URL": wire.base_url,
        }
        for name, value in (settings | env).items():
            monkeypatch.setenv(name, value)
        done = CliRunner().invoke(check, ["--offline", "--live"])
        return done.exit_code, done.output

    return live_


def reply(finish="ok", **said):
    return {"text": "", "finish": finish, "usage": {"in": "1000", "out": "100"}} | said


CALL = {"id": "c", "name": "weather", "args": {"city": "Paris"}}
ABLE = {
    "tools": reply("tool_calls", calls=[CALL]),
    "response_format": reply(text=json.dumps({"city": "Paris"})),
}


def test_a_link_that_can_do_everything(live, wire):
    """Three calls, and their cost by the usage that the server states."""

    def script(request, number):
        replies = (each for name, each in ABLE.items() if name in request)
        wire.reply = next(replies, reply(text="OK"))
        return "ok"

    wire.script = script
    code, said = live()
    assert code == 0, said
    assert said.count("  yes\n") == 3
    assert "live: at most 3 calls, $0.00" in said
    # 3 * (1,000 * 0.15 + 100 * 0.60) millionths of a dollar.
    assert "live: spent $0.000630, possibly billed $0.000000" in said
    assert len(wire.calls) == 3


@pytest.mark.parametrize("event", ["ok", "empty"])
def test_links_that_make_embeddings_are_tried_for_vectors(live, wire, event):
    """One call, at their own price."""
    model = "text-embedding-3-small"
    wire.script = lambda request, number: f"{event};in=1000" if "input" in request else "ok"
    code, said = live(LLM_EMBEDDING_CHAIN=f"openai:{model}")
    assert [call.model for call in wire.calls].count(model) == 1
    assert f"openai:{model}\n  vectors" in said
    assert "live: at most 4 calls" in said
    assert ("not every link answers" in said) == (event == "empty")
    assert code == (event == "empty"), said


def test_links_that_only_the_semantic_cache_asks_are_shown_and_tried(live, wire):
    wire.script = lambda request, number: "ok;in=1000"
    beside = {"openai:text-embedding-3-small", "openai:gpt-4.1-nano"}
    code, said = live(
        LLM_SEMANTIC_CACHE="shadow",
        LLM_SEMANTIC_EMBEDDING="openai:text-embedding-3-small",
        LLM_SEMANTIC_JUDGE="openai:gpt-4.1-nano",
    )
    assert code == 0, said
    assert all(f"semantic cache: {name} (" in said for name in beside)
    assert beside <= {f"openai:{call.model}" for call in wire.calls}


def test_what_a_server_cannot_do_is_said_and_is_no_error(live):
    """It answers in words whatever it is asked."""
    code, said = live()
    assert code == 0, said
    assert "tool call  no: it answers in words instead of calling the tool" in said
    assert "JSON       no: its answer is no JSON by the schema it was given" in said


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("401", "refused its key: HTTP 401 invalid_api_key; set OPENAI_API_KEY"),
        ("404", "does not have the model: HTTP 404 model_not_found"),
        ("quota", "takes no more: HTTP 429 insufficient_quota"),
    ],
)
def test_a_link_that_does_not_answer_is_told_in_words(live, wire, event, words):
    """After one call, and nothing is spent."""
    wire.script = lambda request, number: event
    code, said = live()
    assert code == 1
    assert words in said
    assert "not every link answers" in said
    assert "spent $0.000000, possibly billed $0.000000" in said
    assert len(wire.calls) == 1


def test_a_port_that_nobody_listens_on_is_told(live):
    code, said = live(OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    assert code == 1
    assert "  answer     no: unavailable: " in said


def test_a_parameter_that_is_refused_is_left_out(live, wire):
    """As a worker's next try does; the refusal is not paid."""

    def script(request, number):
        return "refused;param=temperature" if "temperature" in request else "ok;in=10;out=5"

    wire.script = script
    code, said = live()
    assert code == 0, said
    assert [("temperature" in call.request) for call in wire.calls] == [True, False] * 3


def test_no_call_may_cost_more_than_a_job(live, wire):
    code, said = live(model="no-such-model", LLM_MAX_COST_PER_REQUEST="0.0001")
    assert code == 1
    assert "not tried: $0.08" in said
    assert wire.calls == []
