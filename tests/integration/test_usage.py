"""What was used outlives its jobs, and adds up to what was spent."""

import csv
import io
import json

import pytest
from support.ledger import KEYS, LedgerProbe, ask, until

from worker.budgets.overrides import Overrides, Subject
from worker.budgets.usage import EPOCH, Usage
from worker.ledger.connection import connect


def test_usage_is_the_money_by_everything(
    complete, wire, openai_env, start_worker, redis_url, command
):
    """By user, group, model, provider, day and tag; an answer from the cache adds nothing;
    forgotten jobs stay counted.
    """
    redis = connect(redis_url)
    Overrides(redis, KEYS).change(Subject("user", "u1"), group="team")
    start_worker(openai_env | {"LLM_CHAIN": "openai:gpt-4o-mini,openai:gpt-4.1-nano"})
    for user, tags in (("u1", ["faq", "eu"]), ("u1", []), ("u2", ["faq"])):
        complete.delay(ask(f"{user} {tags}"), user, temperature=0, tags=tags).value(30)
    complete.delay(ask("u2 ['faq']"), "u2", temperature=0, tags=["faq"]).value(30)
    complete.delay(ask("x"), "u2", model="gpt-4.1-nano").value(30)
    billed = [call.billed for call in wire.calls]
    with LedgerProbe(redis_url) as ledger:
        spent = ledger.budget("usd", "fleet", "all")["spent"]
    for key in redis.scan_iter(KEYS.job("*")):
        redis.delete(key)
    usage, today = Usage(redis, KEYS), Usage(redis, KEYS).today()
    total = usage.total(today, today)
    assert (total.calls, total.micro_usd, total.maybe_calls) == (4, spent, 0)
    assert total.input_tokens == sum(each["prompt_tokens"] for each in billed)
    assert total.output_tokens == sum(each["completion_tokens"] for each in billed)

    def calls(what):
        return {name: sums.calls for name, sums in usage.by(what, today, today)}

    assert calls("user") == {"u1": 2, "u2": 2}
    assert calls("group") == {"team": 2, "-": 2}
    assert calls("model") == {"gpt-4o-mini": 3, "gpt-4.1-nano": 1}
    assert calls("provider") == {"openai": 4}
    assert calls("day") == {today.isoformat(): 4}
    assert calls("tag") == {"faq": 2, "eu": 1, "-": 2}
    assert 399 * 86_400 < redis.ttl(KEYS.usage((today - EPOCH).days)) <= 400 * 86_400
    *lines, total = map(json.loads, command("usage", "--by", "tag", "--json").splitlines())
    assert {line["tag"]: line["calls"] for line in lines} == calls("tag")
    assert (total["total"], total["calls"]) == (True, 4)
    rows = list(
        csv.DictReader(io.StringIO(command("usage", "--csv", "--since", today.isoformat())))
    )
    assert rows.pop()["user"] == "total"
    assert sum(float(row["cost_usd"]) for row in rows) == pytest.approx(spent / 1e6)
    assert command("usage", "--since", "1d").splitlines()[-1].split()[:2] == ["total", "4"]
    assert "is no day" in command("usage", "--since", "yesterday", code=2)
    redis.close()


def test_another_known_model_that_answers_is_booked_and_shown(
    complete, wire, openai_env, start_worker, redis_url, command
):
    """In the completion, the record, the sums and the metrics; a dated name is the model itself."""
    answer = {"choices": [{"message": {"content": "Paris."}, "finish_reason": "stop"}]}
    usage = {"prompt_tokens": 10_000, "completion_tokens": 1_000, "total_tokens": 11_000}
    wire.body = json.dumps(answer | {"model": "gpt-4o-2024-08-06", "usage": usage})
    worker = start_worker(openai_env)
    completion = complete.delay(ask("x"), "u1").value(30)
    assert (completion.model, completion.cost_usd) == ("gpt-4o-2024-08-06", 0.035)
    assert completion.flags == ("model: gpt-4o-2024-08-06 answered instead of gpt-4o-mini",)
    wire.body = json.dumps(answer | {"model": "gpt-4o-mini-2024-07-18"})
    counted = complete.delay(ask("y"), "u1")
    assert (counted.value(30).cost_basis, counted.value().usage.estimated) == ("estimated", True)
    status = counted.progress()
    assert status.estimated_usd == status.cost_usd > 0
    by_model = {
        row["model"]: row
        for row in map(json.loads, command("usage", "--by", "model", "--json").splitlines())
        if row["model"]
    }
    assert set(by_model) == {"gpt-4o", "gpt-4o-mini"}
    assert (by_model["gpt-4o"]["cost_usd"], by_model["gpt-4o"]["estimated_usd"]) == (0.035, 0)
    assert by_model["gpt-4o-mini"]["estimated_usd"] == by_model["gpt-4o-mini"]["cost_usd"] > 0
    assert "of it estimated" in command("status", counted.id)
    assert '"model": "gpt-4o"' in worker.log()
    wrong = usage | {"prompt_tokens": 10**6, "total_tokens": 1_001_000}
    for stated in (wrong, usage | {"prompt_tokens": -1}, usage | {"completion_tokens": 2**53 + 1}):
        wire.body = json.dumps(answer | {"model": "gpt-4o-mini", "usage": stated})
        unknown = complete.delay(ask(str(stated)), "u1").value(30)
        assert (unknown.text, unknown.cost_basis, unknown.cost_usd) == ("Paris.", "unknown", 0)
        assert unknown.maybe_billed_usd > 0
    assert worker.log().count("WRONG_USAGE: openai:gpt-4o-mini") == 3
    assert "gpt-4o " in command("stats", "--last", "5m")


def test_a_call_cut_off_is_possibly_billed_usage(
    complete, wire, openai_env, start_worker, redis_url, command
):
    """Until its late reply says better; a worker that dies leaves the doubt."""
    wire.script = lambda request, number: "truncated" if number == 0 else "ok"
    start_worker(openai_env)
    complete.delay(ask("x"), "u1").value(30)
    redis = connect(redis_url)
    usage = Usage(redis, KEYS)
    sums = usage.total(usage.today(), usage.today())
    with LedgerProbe(redis_url) as ledger:
        budget = ledger.budget("usd", "fleet", "all")
    assert (sums.calls, sums.maybe_calls) == (1, 1)
    assert (sums.micro_usd, sums.maybe_micro_usd) == (budget["spent"], budget["maybe"])
    assert json.loads(command("usage", "--json").splitlines()[0])["maybe_billed_calls"] == 1
    redis.close()


def test_cached_answers_are_busted_by_tag(
    complete, wire, openai_env, start_worker, command, redis_url
):
    """Those that a request with the tag made or was served; others stay. What is made afterwards is
    kept.
    """
    start_worker(openai_env)

    def cached(text, tags):
        return complete.delay(ask(text), "u1", temperature=0, tags=tags).value(30).cached

    assert [cached("a", ["x", "y"]), cached("b", ["z"]), cached("c", [])] == [False, False, False]
    assert [cached("a", []), cached("b", []), cached("c", ["x"])] == [True, True, True]
    assert "tag x" in command("cache", "bust", "--tag", "x")
    assert [cached("a", ["x"]), cached("b", ["z"]), cached("c", ["x"])] == [False, True, False]
    assert cached("a", ["x"])
    until(lambda: len(wire.calls) == 5)
    assert "say one of" in command("cache", "bust", "--tag", "x", "--all", code=2)


def test_answers_of_the_cache_are_counted_with_what_they_saved(
    complete, wire, openai_env, start_worker, command
):
    """By user, day, tag and model; and such an answer has used nothing."""
    start_worker(openai_env)
    paid = complete.delay(ask("x"), "u1", temperature=0).value(30)
    for user in ("u2", "=u3"):
        hit = complete.delay(ask("x"), user, temperature=0, tags=["faq"]).value(30)
        assert (hit.cached, hit.cost_usd, hit.usage.input) == (True, 0, 0)
    assert paid.cost_usd > 0
    for what, name in (("user", "u2"), ("tag", "faq"), ("model", paid.model)):
        rows = map(json.loads, command("usage", "--by", what, "--json").splitlines())
        (row,) = [row for row in rows if row[what] == name]
        hits = 1 if what == "user" else 2
        assert (row["hits"], row["saved_usd"]) == (hits, pytest.approx(hits * paid.cost_usd))
    assert "'=u3," in command("usage", "--csv")
    assert "2 jobs were answered by the cache, which saved $0.00" in command(
        "stats", "--last", "5m"
    )
