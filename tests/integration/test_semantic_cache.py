"""Answers of questions that mean the same, through a real worker."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.documentation import blocks, run
from support.ledger import KEYS, LedgerProbe, ask, connection, until
from support.near_provider import kind, near_env, near_script, wordings

from worker.budgets.usage import Usage
from worker.ledger.semantic_functions import NearLearn
from worker.monitoring.health import Health
from worker.monitoring.prometheus import page
from worker.semantic.evidence import Observation
from worker.settings import HealthSettings
from worker.telemetry.metrics import Metrics

ZERO = {"temperature": 0}


@pytest.fixture
def near(wire, openai_env, start_worker, redis_url):
    """`near(mode, **env)`: a worker with a semantic cache."""
    wire.script = near_script

    def start(mode="serve", **env):
        return start_worker(near_env(openai_env, mode, **env))

    return start


@pytest.fixture
def probe(redis_url):
    with LedgerProbe(redis_url) as probe:
        yield probe


def counts(probe):
    """Of the only scope."""
    (key,) = probe.redis.scan_iter(f"{KEYS.root}sc:*")
    return {name: int(n) if n.isdigit() else n for name, n in probe.redis.hgetall(key).items()}


def learnt(redis_url, probe, right=80, wrong=10):
    """The scope knows a lot by now."""
    (key,) = probe.redis.scan_iter(f"{KEYS.root}sc:*")
    scope = key.removeprefix(f"{KEYS.root}sc:")
    call = connection(redis_url).functions
    for label, verdict, count in (("right", "yes", right), ("wrong", "no", wrong)):
        fields = Observation(0.95, verdict, label).fields
        for _ in range(count):
            call(NearLearn(scope, "another", "pair", label=label, items=fields))


def kept(probe, count):
    (key,) = probe.redis.scan_iter(f"{KEYS.root}se:*")
    return probe.redis.hlen(key) == count


def one_by_one(complete, probe, *users):
    """Each asks in other words once the question before is kept."""
    answers = []
    for user, text in zip(users, wordings("orders"), strict=False):
        answers.append(complete.delay(ask(text), user, **ZERO).value(30))
        until(lambda: any(probe.redis.scan_iter(f"{KEYS.root}se:*")) and kept(probe, len(answers)))
    return answers


def scraped(redis_url, scope):
    """What `/metrics` says of a scope."""
    own = connection(redis_url)
    text = page(Health(own, HealthSettings()).check(), Metrics(own.redis, own.keys)).decode()
    own.close()
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
    return {
        (each.name, each.labels.get("what")): each.value
        for each in samples
        if each.labels.get("scope") == scope
    }


def ended(worker, job_id):
    """What the log says of its end."""
    lines = [line for line in worker.log().splitlines() if '"job_ended"' in line and job_id in line]
    return [json.loads(line) for line in lines]


def calls(wire):
    return Counter(map(kind, wire.calls))


def test_shadow_changes_no_answer_and_learns(complete, wire, near, probe):
    near("shadow")
    asked = list(wordings("orders"))[:5]
    for number, text in enumerate(asked, 1):
        answer = complete.delay(ask(text), "u1", **ZERO).value(30)
        assert not answer.cached
        until(
            lambda count=number: (
                any(probe.redis.scan_iter(f"{KEYS.root}se:*")) and kept(probe, count)
            )
        )
        until(lambda count=number: counts(probe).get("noted", 0) == count - 1)
    found = counts(probe)
    assert sum(n for name, n in found.items() if name.endswith(":yes:right")) == 4
    assert calls(wire)["answer"] == 5


def test_what_is_known_is_served_and_what_was_wrong_is_not(
    complete, wire, near, probe, redis_url, command
):
    """Marked, at the cost of its embedding; told in the report as in the books; a wrong one is
    served to nobody else.
    """
    worker = near()
    one, *others = wordings("orders")
    first = complete.delay(ask(one), "u1", **ZERO).value(30)
    until(lambda: any(probe.redis.scan_iter(f"{KEYS.root}se:*")))
    learnt(redis_url, probe)
    jobs = {text: complete.delay(ask(text), "u2", **ZERO) for text in others}
    answers = {text: job.value(30) for text, job in jobs.items()}
    served = {text: each for text, each in answers.items() if each.cached == "semantic"}
    assert len(served) >= 6
    for found in served.values():
        assert 0.9 < found.similarity < 1
        assert 0 <= found.cost_usd < first.cost_usd / 2
        assert (found.usage.output, found.request_id != first.request_id) == (0, True)
    assert first.text in {each.text for each in served.values()}
    assert calls(wire)["answer"] == 10 - len(served)
    (row,) = map(json.loads, command("cache", "semantic", "--json").splitlines())
    assert row["hits"] == len(served)
    books = [json.loads(line) for line in command("usage", "--json").splitlines()]
    saved = next(each for each in books if each.get("total"))["saved_usd"]
    assert row["saved_usd"] == pytest.approx(saved)
    total = next(each for each in books if each.get("total"))
    assert (total["near_hits"], total["near_saved_usd"]) == (len(served), pytest.approx(saved))
    metrics = scraped(redis_url, row["scope"])
    assert metrics["completions_near_pairs", "hits"] == row["hits"]
    assert metrics["completions_near_usd", "saved"] == pytest.approx(saved)
    assert metrics["completions_near_error_ratio", "upper"] == row["error_high"]
    assert metrics["completions_near_entries", None] == row["entries"]
    until(lambda: all(ended(worker, jobs[text].id) for text in served))
    for text, found in served.items():
        (record,) = ended(worker, jobs[text].id)
        assert (record["cached"], record["similarity"]) == ("semantic", found.similarity)
    assert str(len(served)) in command("cache", "semantic")
    text = next(iter(served))
    assert jobs[text].report_wrong()
    assert not jobs[text].report_wrong()
    command("cache", "wrong", jobs[text].id, code=1)
    assert counts(probe)["reported"] == 1
    assert complete.delay(ask(text), "u3", **ZERO).value(30).cached != "semantic"
    assert not complete.delay(ask(one + " "), "u3", semantic=False, **ZERO).value(30).cached


def test_a_scope_that_errs_more_than_stated_stops_by_itself(complete, near, probe, redis_url):
    """And `health` and `/metrics` say so."""
    near()
    asked = [*wordings("orders")]
    complete.delay(ask(asked[0]), "u1", **ZERO).value(30)
    until(lambda: any(probe.redis.scan_iter(f"{KEYS.root}se:*")))
    learnt(redis_url, probe)
    jobs = [complete.delay(ask(text), "u2", **ZERO) for text in asked[1:4]]
    assert any(job.value(30).cached == "semantic" for job in jobs)
    own = connection(redis_url)
    (scope,) = own.redis.zrange(KEYS.near_scopes, 0, -1)
    note = NearLearn(scope, "another", "pair")
    for label, count in (("right", 50), ("wrong", 10)):
        own.functions(replace(note, items=(f"served:{label}",) * count))
    jobs = [complete.delay(ask(text), "u3", **ZERO) for text in asked[4:8]]
    assert not any(job.value(30).cached for job in jobs)
    verdict = Health(own, HealthSettings()).check()
    own.close()
    assert verdict.status == "degraded"
    assert "semantic" in {found.name for found in verdict.findings}
    assert scraped(redis_url, scope[:12])["completions_near_stopped", None] == 1


def test_the_commands_of_the_page_run(complete, near, probe, redis_url, tmp_path):
    near()
    one, *others = wordings("orders")
    complete.delay(ask(one), "u1", **ZERO).value(30)
    until(lambda: any(probe.redis.scan_iter(f"{KEYS.root}se:*")))
    learnt(redis_url, probe)
    jobs = [complete.delay(ask(text), "u2", **ZERO) for text in others]
    served = [job.id for job in jobs if job.value(30).cached == "semantic"]
    page = [block for block in blocks() if block.run == "semantic"]
    assert len(page) == 3
    for block in page:
        run(block, tmp_path, {"REDIS_URL": redis_url, "JOB_ID": served.pop()})
    assert counts(probe)["reported"] == 2


def test_an_erased_user_leaves_no_vector(complete, near, probe, command):
    near("shadow")
    one_by_one(complete, probe, "ann", "bob", "ann")
    until(lambda: counts(probe).get("noted", 0) == 2)
    command("erase", "ann", "--reason", "asked", "--yes")
    (key,) = probe.redis.scan_iter(f"{KEYS.root}se:*")
    assert [json.loads(body)[0] for body in probe.redis.hvals(key)] == ["bob"]
    assert probe.redis.zcard(key.replace(":se:", ":so:")) == 1
    outcomes = probe.redis.mget(probe.redis.scan_iter(f"{KEYS.outcome('')}*"))
    answers = probe.redis.mget(probe.redis.scan_iter(f"{KEYS.cached}*"))
    assert sum('"vectors"' in each for each in outcomes) == 1
    assert [each.split(";")[3] for each in answers if '"vectors"' in each] == ["bob"]


@pytest.mark.parametrize("payer", ["user", "fleet"])
def test_vectors_and_verdicts_are_on_the_account_that_is_said(
    complete, near, probe, redis_url, payer
):
    """In limits, usage and records alike; the fleet's limit bears them either way."""
    limits = {"LLM_USER_USD_PER_DAY": "5", "LLM_USD_PER_DAY": "50"}
    worker = near("shadow", LLM_SEMANTIC_PAID_BY=payer, **limits)
    answers = one_by_one(complete, probe, "ann", "ann", "ann")
    until(lambda: counts(probe).get("noted", 0) >= 1)
    until(lambda: probe.redis.zcard(KEYS.open) == 0)
    usage = Usage(probe.redis, KEYS)
    today = usage.today()
    books = {name: sums.micro_usd for name, sums in usage.by("user", today, today)}
    answered = round(sum(each.cost_usd for each in answers) * 1_000_000)
    beside = dict(usage.by("tag", today, today))["semantic-cache"].micro_usd
    assert beside > 0
    own = {"user": {"ann": answered + beside}, "fleet": {"ann": answered, "-": beside}}
    assert books == own[payer]
    assert probe.budget("usd", "user", "ann")["spent"] == books["ann"]
    assert probe.budget("usd", "fleet", "all")["spent"] == answered + beside
    lines = [json.loads(line) for line in worker.log().splitlines() if "errand-" in line]
    payers = {line["user_id"] for line in lines if line.get("event") in ("job_ended", "call")}
    assert payers == {{"user": "ann", "fleet": None}[payer]}
