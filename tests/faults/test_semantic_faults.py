"""Whatever breaks in the semantic cache, answers are right, nothing fails, nothing waits for it."""

import json
import shutil
import threading

import pytest
from support.ledger import KEYS, LedgerProbe, ask, connection, until
from support.near_provider import kind, near_env, near_script, wordings

from worker.ledger.semantic_functions import NearLearn
from worker.semantic.evidence import Observation

pytestmark = pytest.mark.faults
ZERO = {"temperature": 0}
ASKED = list(wordings("orders"))


@pytest.fixture
def near(wire, openai_env, start_worker):
    wire.script = near_script

    def start(**env):
        return start_worker(near_env(openai_env, "serve", LLM_MAX_ATTEMPTS="1", **env))

    return start


def teach(redis_url):
    """Every scope that there is knows enough to serve."""
    call = connection(redis_url).functions
    with LedgerProbe(redis_url) as probe:
        keys = list(probe.redis.scan_iter(f"{KEYS.near_counts('')}*"))
    for key in keys:
        scope = key.removeprefix(KEYS.near_counts(""))
        for label, verdict, count in (("right", "yes", 80), ("wrong", "no", 10)):
            fields = Observation(0.95, verdict, label).fields
            for _ in range(count):
                call(NearLearn(scope, "another", "pair", label=label, items=fields))


def first_asked(complete, redis_url):
    answer = complete.delay(ask(ASKED[0]), "u1", **ZERO).value(30)
    with LedgerProbe(redis_url) as probe:
        until(lambda: any(probe.redis.scan_iter(f"{KEYS.near_entries('')}*")))
    teach(redis_url)
    return answer


def broken(event, what):
    """As the provider, but that calls of a kind end as `event` says."""

    def script(request, number):
        class Call:
            pass

        Call.request = request
        return event if kind(Call) == what else near_script(request, number)

    return script


def all_answered(complete, texts, user="u2"):
    jobs = [complete.delay(ask(text), user, **ZERO) for text in texts]
    answers = [job.value(30) for job in jobs]
    assert all(answer.text.endswith("do it for orders") for answer in answers)
    return answers


def nothing_is_held_or_dead(redis_url):
    with LedgerProbe(redis_url) as probe:
        until(lambda: probe.budget("usd", "fleet", "all")["held"] == 0)
        assert probe.redis.zcard(KEYS.dead) == 0
        until(lambda: not probe.redis.hgetall(KEYS.in_flight))
        assert probe.redis.zcard(KEYS.open) == 0


@pytest.mark.parametrize(
    "event",
    ["503", "hang", "few", "empty", "html", "null", "400", "ok;dimensions=16", "near;delay=1"],
)
def test_an_embedding_link_that_fails_is_a_miss(complete, wire, near, redis_url, event):
    near(LLM_SEMANTIC_TIMEOUT_MS="300")
    first_asked(complete, redis_url)
    wire.script = broken(event, "embedding")
    answers = all_answered(complete, ASKED[1:4])
    assert not any(answer.cached for answer in answers)
    wire.script = near_script
    if event != "hang":
        nothing_is_held_or_dead(redis_url)


@pytest.mark.parametrize("event", ["503", "hang", "ok;text=perhaps"])
def test_a_judge_that_fails_is_no_yes(complete, wire, near, redis_url, event):
    near(LLM_SEMANTIC_JUDGE_TIMEOUT_MS="300")
    first_asked(complete, redis_url)
    wire.script = broken(event, "judge")
    assert not any(answer.cached for answer in all_answered(complete, ASKED[1:4]))


def test_a_judge_without_money_is_not_asked(complete, wire, near, redis_url):
    near(LLM_SEMANTIC_JUDGE_USD_PER_DAY="0")
    first_asked(complete, redis_url)
    assert not any(answer.cached for answer in all_answered(complete, ASKED[1:4]))
    assert "judge" not in map(kind, wire.calls)
    nothing_is_held_or_dead(redis_url)


def test_an_emptied_server_knows_nothing_and_learns_anew(complete, near, redis_url):
    near()
    first_asked(complete, redis_url)
    assert any(answer.cached == "semantic" for answer in all_answered(complete, ASKED[1:6]))
    with LedgerProbe(redis_url) as probe:
        for kinds in ("near_entries", "near_order", "near_counts"):
            for key in list(probe.redis.scan_iter(f"{getattr(KEYS, kinds)('')}*")):
                probe.redis.delete(key)
    assert not any(a.cached == "semantic" for a in all_answered(complete, ASKED[6:8], "u3"))
    teach(redis_url)
    nothing_is_held_or_dead(redis_url)


def test_an_answer_that_is_gone_or_busted_is_not_served(complete, near, redis_url, command):
    near()
    first_asked(complete, redis_url)
    command("cache", "bust", "--all")
    assert not complete.delay(ask(ASKED[1]), "u2", **ZERO).value(30).cached
    command("erase", "u2", "--reason", "asked", "--yes")
    assert complete.delay(ask(ASKED[2]), "u3", **ZERO).value(30).cached != "semantic"
    nothing_is_held_or_dead(redis_url)


def test_an_answer_that_is_erased_while_the_judge_is_asked_is_not_given_out(
    complete, wire, near, redis_url, command
):
    near(LLM_SEMANTIC_JUDGE_TIMEOUT_MS="20000")
    first_asked(complete, redis_url)
    asked, erased = threading.Event(), threading.Event()

    def script(request, number):
        event = broken("ok;text=yes;out=1", "judge")(request, number)
        if "yes;" in event:
            asked.set()
            erased.wait(20)
        return event

    wire.script = script
    job = complete.delay(ask(ASKED[1]), "u2", **ZERO)
    assert asked.wait(20)
    command("erase", "u1", "--reason", "asked", "--yes")
    erased.set()
    assert not job.value(30).cached
    wire.script = near_script
    nothing_is_held_or_dead(redis_url)


def test_two_workers_that_learn_at_once_lose_and_repeat_nothing(complete, near, redis_url):
    for _ in range(2):
        near(LLM_SEMANTIC_CACHE="shadow")
    first_asked(complete, redis_url)
    with LedgerProbe(redis_url) as probe:
        (key,) = probe.redis.scan_iter(f"{KEYS.near_counts('')}*")
        before = probe.redis.hgetall(key)
        all_answered(complete, ASKED[1:9])
        until(lambda: int(probe.redis.hget(key, "noted")) == int(before["noted"]) + 8)
        after = probe.redis.hgetall(key)

    def labelled(counts):
        return sum(int(n) for name, n in counts.items() if name.count(":") == 2)

    assert labelled(after) == labelled(before) + 8
    nothing_is_held_or_dead(redis_url)


def test_a_server_that_comes_back_empty_knows_nothing_and_learns_anew(
    complete, own_valkey, near, wire
):
    import producer

    url = own_valkey.url()
    producer.configure(url)
    near(REDIS_URL=url)
    first_asked(producer.complete, url)
    assert any(each.cached == "semantic" for each in all_answered(producer.complete, ASKED[1:6]))
    own_valkey.kill()
    shutil.rmtree(own_valkey.folder)
    own_valkey.start()
    with LedgerProbe(url) as probe:
        until(lambda: probe.redis.zcard(KEYS.workers))
        assert not any(probe.redis.scan_iter(f"{KEYS.near_entries('')}*"))
    assert not any(each.cached for each in all_answered(producer.complete, ASKED[6:7], "u3"))
    with LedgerProbe(url) as probe:
        until(lambda: any(probe.redis.scan_iter(f"{KEYS.near_entries('')}*")))
    teach(url)
    assert any(each.cached == "semantic" for each in all_answered(producer.complete, ASKED[1:6]))


def test_a_crowd_that_asks_the_same_is_answered_from_one_question(
    complete, wire, near, redis_url, command
):
    """At least 60 % of the calls are not made; the report tells the dollars of the books."""
    near()
    first = first_asked(complete, redis_url)
    before = len([call for call in wire.calls if kind(call) == "answer"])
    jobs = [
        complete.delay(ask(ASKED[number % 10]), f"user-{number}", tags=["crowd"], **ZERO)
        for number in range(60)
    ]
    answers = [job.value(60) for job in jobs]
    made = len([call for call in wire.calls if kind(call) == "answer"]) - before
    assert made <= 0.4 * 60
    prices = {each.text: each.cost_usd for each in (first, *answers) if not each.cached}
    near_ones = [each for each in answers if each.cached == "semantic"]
    assert near_ones
    (row,) = map(json.loads, command("cache", "semantic", "--json").splitlines())
    books = [json.loads(line) for line in command("usage", "--by", "tag", "--json").splitlines()]
    saved = next(each["saved_usd"] for each in books if each.get("tag") == "crowd")
    exact_usd = sum(prices[each.text] for each in answers if each.cached is True)
    assert row["hits"] == len(near_ones)
    assert saved == pytest.approx(row["saved_usd"] + exact_usd)
