"""Replies as servers have really sent them, each with its source: `wild/<protocol>-<vendor>.jsonl`.

A line: what is sent (status, headers, body), and what has to come of it. Of an answer: its text,
tool calls, finish, usage ("counted": by ourselves, "unknown": it cannot be read), flags, and what
it costs where there is a price. Of an error: its fault, what is booked ("nothing", "maybe",
"spent"), and what it is about; a link is left alone for what is about the link or its key.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.scripted import MODELS, PROMPT, Exchange, http, play
from support.streams import events

from producer.contract.requests import CompletionRequest
from worker.budgets.pricing import Pricing
from worker.faults import ProviderError
from worker.model_catalog import Models
from worker.providers import Call
from worker.providers.billing import COUNTED, Billing
from worker.providers.tokens import Estimator
from worker.settings import Link
from worker.settings.prices import rates

FOLDER = Path(__file__).parent / "wild"
ROWS = [
    (path.stem, json.loads(line))
    for path in sorted(FOLDER.glob("*.jsonl"))
    for line in path.read_text().splitlines()
]
VENDORS = {file.partition("-")[2] for file, _ in ROWS} - {"openai", "anthropic", "google"}
"""Those without a price of their own; here all of them have one."""
PRICES = {f"{vendor}:*": rates("1/2") for vendor in VENDORS}
BILLING = Billing(Pricing(PRICES, rates("50/200")), Estimator(Models.load()))
LONG = CompletionRequest.checked(messages=[{"role": "user", "content": PROMPT * 5000}])
"""What is told to be paid must be possible."""


def exchange(file, row):
    body = row["body"] if isinstance(row["body"], str) else json.dumps(row["body"])
    headers = {"Content-Type": "application/json"} | row.get("headers", {})
    return Exchange(
        row["name"],
        file.partition("-")[0],
        http(row["status"], body.encode("utf-8", "surrogatepass"), list(headers.items())),
        row.get("model", ""),
        tuple(row.get("options", {}).items()),
    )


@pytest.fixture(scope="module")
def outcomes():
    """All of them at once, over one connection or a few."""
    played = play([exchange(*each) for each in ROWS])
    return {id(row): outcome for (_, row), outcome in zip(ROWS, played, strict=True)}


@pytest.mark.parametrize("sent", ROWS, ids=[f"{file}: {row['name']}" for file, row in ROWS])
def test_a_reply_is_what_it_is(outcomes, sent):
    file, row = sent
    outcome = outcomes[id(row)]
    told = of_error if isinstance(outcome.result, ProviderError) else of_reply
    assert outcome.requests == 1
    assert told(file, row, outcome.result) == row["expect"], str(outcome.result)


def test_as_a_stream_it_is_the_same():
    """Every answer that an API could send as one."""
    rows = [(file, row) for file, row in ROWS if _streams(file, row)]
    assert len(rows) > 150
    played = play([_stream(*each) for each in rows])
    wrong = {}
    for (file, row), outcome in zip(rows, played, strict=True):
        told = of_error if isinstance(outcome.result, ProviderError) else of_reply
        found = told(file, row, outcome.result)
        if found != row["expect"]:
            wrong[file, row["name"]] = found, row["expect"], str(outcome.result)
    assert not wrong


def _streams(file, row):
    """Whether it is a whole answer in the form of its API, or one that came as a stream."""
    body = row["body"]
    if row.get("headers") == {"Content-Type": "text/event-stream"}:
        return row["name"] != "a stream that breaks off"
    if row["status"] != 200 or not isinstance(body, dict) or "text" not in row["expect"]:
        return False
    if file.startswith("gemini") and "finish: missing" in row["expect"]["flags"]:
        return False  # nothing says that it is whole
    if file.startswith("openai"):
        first = (body.get("choices") or [None])[0]
        return isinstance(first, dict) and isinstance(first.get("message"), dict)
    return "candidates" in body or isinstance(body.get("content"), list)


def _stream(file, row):
    whole = exchange(file, row)
    headers = {"Content-Type": "text/event-stream"} | row.get("headers", {})
    if isinstance(row["body"], str):
        return replace(whole, streams=True)
    body = "".join(events(row["body"])).encode("utf-8", "surrogatepass")
    return replace(whole, response=http(200, body, list(headers.items())), streams=True)


def test_there_are_enough_and_each_has_its_source():
    assert len(ROWS) >= 300
    assert all(len(row["source"]) > 8 for _, row in ROWS)
    assert len({(file, row["name"]) for file, row in ROWS}) == len(ROWS)


def of_reply(file, row, reply):
    """The reply in the words of the data, with no more of it than the row has."""
    link, call = asked(file, row)
    reply, bill = BILLING.of_reply(link, call, reply)
    usage = "unknown"
    if COUNTED in reply.flags:
        usage = "counted"
    elif reply.usage:
        usage = figures(reply.usage)
    calls = [[each.function.name, json.loads(each.function.arguments)] for each in reply.tool_calls]
    found = {
        "text": reply.text,
        "finish": reply.finish,
        "usage": usage,
        "calls": calls,
        "micro_usd": bill.micro_usd,
        "flags": flags(reply.flags, row["expect"].get("flags", [])),
    }
    if not calls and "calls" not in row["expect"]:
        del found["calls"]
    if "micro_usd" not in row["expect"]:
        del found["micro_usd"]
    return found


def of_error(file, row, error):
    bill = BILLING.of_failure(*asked(file, row), error)
    booked = "maybe" if error.maybe_billed else "nothing"
    if error.usage and bill.kind == "real":
        booked = "spent"
    found = {
        "fault": str(error.fault),
        "booked": booked,
        "about": error.about,
        "says": row["expect"].get("says"),
        "wait_s": error.retry_after_s,
        "usage": figures(error.usage) if error.usage else None,
        "micro_usd": bill.micro_usd,
    }
    if found["says"] and found["says"] not in error.reason:
        found["says"] = error.reason
    optional = {"says", "micro_usd"} - set(row["expect"])
    return {
        name: value
        for name, value in found.items()
        if name not in optional and (value is not None or name in row["expect"])
    }


def asked(file, row):
    adapter, _, vendor = file.partition("-")
    provider = adapter if vendor == {"gemini": "google"}.get(adapter, adapter) else vendor
    model = row.get("model") or MODELS[adapter]
    link = Link(provider=provider, model=model, adapter=adapter)
    return link, Call("job", model, LONG, max_tokens=100_000, temperature=None, timeout_s=5)


def figures(usage):
    return [usage.input, usage.output, usage.cached, usage.cache_written, usage.reasoning]


def flags(found, expected):
    """Those that are expected by their beginning, the others as they are."""
    return [next((each for each in expected if flag.startswith(each)), flag) for flag in found]
