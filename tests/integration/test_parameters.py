"""Parameters through a real worker: said at the wire, passed over, dropped, learnt."""

import base64
import io
import json
import re

import pytest
from pypdf import PdfReader
from support import all_vendors
from support.agent_turns import TOOLS, TURNS, body, results
from support.ledger import ask
from support.made_pdf import made
from support.strict_turns import SIGNATURE, refuse

from producer.contract.errors import InvalidRequest

LINKS = ("openai:gpt-5.4-mini", "anthropic:claude-sonnet-5-5", "gemini:gemini-3.8-flash")
PLAIN = ("openai:gpt-4.1", "anthropic:claude-haiku-4-5", "gemini:gemini-2.5-flash")
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
FORCED = {"type": "function", "function": {"name": "f"}}


@pytest.fixture
def vendors(wire, start_worker):
    """Start a worker whose links are answered by `wire`."""
    return lambda links: start_worker(all_vendors.env(wire.base_url, links))


def said(wire):
    """The bodies that came since the last time."""
    bodies = [call.request for call in wire.calls]
    wire.calls.clear()
    return bodies


def forces(body):
    """Whether a call of f is demanded, in any of the three APIs' words."""
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    wanted = body.get("tool_choice") or {}
    kind = wanted.get("type")
    return kind in ("function", "tool") or calling.get("allowedFunctionNames") == ["f"]


def identifier(body):
    told = body.get("metadata", {}).get("user_id") or body.get("labels", {}).get("user")
    return told or body.get("safety_identifier")


def test_what_is_asked_is_said_to_every_vendor(complete, wire, vendors):
    """A tool that must be called is called; effort changes the wire; the user is a hash."""
    vendors(LINKS)
    wire.script = lambda request, number: "tool_calls" if forces(request) else "ok"
    seen = []
    for link in LINKS:
        about = {"model": link, "max_tokens": 2000}
        job = complete.delay(ask("Call it."), "ann", tools=[TOOL], tool_choice=FORCED, **about)
        assert [call.function.name for call in job.value(30).tool_calls] == ["f"]
        for effort in ("low", "high"):
            complete.delay(ask("x"), "ann", reasoning_effort=effort, **about).value(30)
        complete.delay(ask("x"), "bob", **about).value(30)
        forced, low, high, bob = said(wire)
        assert low != high
        assert identifier(forced) == identifier(low) != identifier(bob)
        assert "ann" not in str((forced, low))
        seen.append(identifier(low))
    assert len(set(seen)) == 1
    a_pdf_is_in_the_prompt_of_every_vendor(complete, wire)
    an_agent_goes_on_though_its_vendor_changes_after_every_turn(complete, wire)


def a_pdf_is_in_the_prompt_of_every_vendor(complete, wire):
    """A vendor that reads the file it was sent finds the text; the hold has its pages."""
    data = base64.b64encode(made([(50, 300, "The keeper is Ada.")])).decode()
    file = {"file_data": f"data:application/pdf;base64,{data}", "filename": "who.pdf"}
    asked = [{"type": "text", "text": "Who?"}, {"type": "file", "file": file}]
    for link in LINKS:
        messages = [{"role": "user", "content": asked}]
        complete.delay(messages, "ann", model=link, max_tokens=2000).value(30)
        (sent,) = said(wire)
        (found,) = re.findall(r"JVBER[\w+/=-]+", json.dumps(sent))
        pdf = base64.b64decode(found.replace("-", "+").replace("_", "/"))
        assert PdfReader(io.BytesIO(pdf)).pages[0].extract_text() == "The keeper is Ada."


def an_agent_goes_on_though_its_vendor_changes_after_every_turn(complete, wire):
    """Every body is one that its vendor takes: ids, order, roles, signatures. A result that comes
    out of order, or says what went wrong, is that of its call.
    """
    refused = []

    def script(request, number):
        """As strict as they are; the first try of one turn fails, and is made again."""
        turn = len(seen) // 3
        wire.body = None
        if reason := refuse(request):
            refused.append((turn, reason))
            return "400"
        if turn == 5 and not failed:
            failed.append(turn)
            return "500"
        wire.body = json.dumps(body(LINKS[turn % 3].partition(":")[0], turn))
        return "ok"

    seen, failed = [], []
    wire.script = script
    messages = ask("Go.")
    for turn in range(TURNS):
        job = complete.delay(messages, "ann", model=LINKS[turn % 3], tools=TOOLS, max_tokens=2000)
        answer = job.value(30)
        assert answer.provider == LINKS[turn % 3].partition(":")[0]
        assert answer.attempts == 1 + (turn == 5)
        seen += [call.id for call in answer.tool_calls]
        sent = json.dumps(wire.calls[-1].request)
        assert (SIGNATURE.rstrip("=") in sent) == (answer.provider == "gemini" and turn > 3)
        assert ("of claude" in sent) == (answer.provider == "anthropic" and turn > 2)
        assert len(set(seen)) == 3 * (turn + 1)
        messages = [*messages, answer.message, *results(answer, turn)]
    assert refused == []
    assert failed == [5]


def test_links_that_cannot_be_told_are_passed_over_or_told_without(complete, wire, vendors):
    vendors(PLAIN)
    assert complete.delay(ask("x"), "u1", top_k=5).value(30).provider == "anthropic"
    completion = complete.delay(ask("x"), "u1", top_k=5, drop_unsupported=True).value(30)
    assert completion.provider == "openai"
    assert [body.get("top_k") for body in said(wire)] == [5, None]
    job = complete.delay(ask("x"), "u1", model=PLAIN[0], top_k=5)
    with pytest.raises(InvalidRequest, match=r"openai:gpt-4\.1 cannot take top_k"):
        job.value(30)
    assert said(wire) == []
    what_a_server_refuses_by_name_is_learnt(complete, wire)


def what_a_server_refuses_by_name_is_learnt(complete, wire):
    """The hash of the user is left out from then on; what was asked for sends the job elsewhere,
    unless it may be dropped.
    """

    def script(request, number):
        if "safety_identifier" in request and request["model"] == "gpt-4.1":
            return "refused;code=unsupported_parameter;param=safety_identifier"
        return "ok"

    wire.script = script
    for _ in range(2):
        assert complete.delay(ask("x"), "u1").value(30).provider == "openai"
    assert ["safety_identifier" in body for body in said(wire)] == [True, False, False]
    asked = {"safety_identifier": "me"}
    assert complete.delay(ask("x"), "u1", **asked).value(30).provider == "anthropic"
    answer = complete.delay(ask("x"), "u1", drop_unsupported=True, **asked).value(30)
    assert answer.provider == "openai"
