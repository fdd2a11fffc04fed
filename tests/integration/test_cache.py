"""The response cache through a real worker: what is kept, for whom, and until when."""

import json
import os

import pytest
from support import warm
from support.ledger import KEYS, LedgerProbe, ask
from support.nodes import ROOT


def test_a_repeated_question_costs_nothing(complete, wire, openai_env, start_worker, redis_url):
    """A deterministic answer is kept; a hit makes no call, costs nothing, renews no entry."""
    start_worker(openai_env)
    first = complete.delay(ask("same"), "u1", temperature=0).value(30)
    with LedgerProbe(redis_url) as ledger:
        (entry,) = ledger.redis.scan_iter(f"{KEYS.cached}*")
        ledger.redis.pexpire(entry, 5_000_000)
        second = complete.delay(ask("same"), "u2", temperature=0).value(30)
        assert ledger.redis.pttl(entry) <= 5_000_000
    assert (first.cached, second.cached, second.cost_usd) == (False, True, 0)
    assert second.text == first.text
    third = complete.delay(ask("same"), "u1", temperature=0, cache="bypass").value(30)
    assert not third.cached
    assert len(wire.calls) == 2


def test_a_scope_of_groups_shares_nothing_with_strangers(
    complete, wire, openai_env, start_worker, command
):
    """Neither an answer nor a call in flight; a request may keep its answer to its user."""
    for user in ("a1", "a2"):
        command("limits", "set", user, "--join", "a")
    wire.script = lambda request, number: "ok;delay=0.5"
    start_worker(openai_env | {"LLM_CACHE_SCOPE": "group"}, concurrency=4)
    users = ["a1", "a2", "b1", "b2"]
    jobs = [complete.delay(ask("same"), user, temperature=0) for user in users]
    answers = [job.value(30).cached for job in jobs]
    assert (sorted(answers[:2]), answers[2:]) == ([False, True], [False, False])
    again = [complete.delay(ask("same"), user, temperature=0).value(30) for user in users]
    assert all(answer.cached for answer in again)
    own = {"temperature": 0, "cache_scope": "user"}
    found = [complete.delay(ask("same"), user, **own).value(30) for user in ("a1", "a2", "a1")]
    assert [answer.cached for answer in found] == [False, False, True]
    assert len(wire.calls) == 5


CHANGEABLE = [
    (ask("same"), {"temperature": 0.7}),
    (ask("same"), {}),
    ([*ask("one"), {"role": "assistant", "content": "two"}, *ask("three")], {"temperature": 0}),
    (ask("same"), {"temperature": 0, "tools": [{"type": "function", "function": {"name": "f"}}]}),
]


def test_what_depends_on_chance_or_moment_is_not_kept(complete, wire, openai_env, start_worker):
    """Only deterministic single-turn requests without tools are cached, unless asked for."""
    start_worker(openai_env)
    for messages, options in CHANGEABLE * 2:
        assert not complete.delay(messages, "u1", **options).value(30).cached
    assert len(wire.calls) == 2 * len(CHANGEABLE)


def test_identical_jobs_in_flight_share_one_call(complete, wire, openai_env, start_worker, command):
    """Followers hold no thread, count no attempt, and answer from the leader's: as hits."""
    wire.script = lambda request, number: "ok;delay=0.5"
    start_worker(openai_env, concurrency=4)
    jobs = [complete.delay(ask("same"), f"u{n}", temperature=0) for n in range(12)]
    answers = [job.value(30) for job in jobs]
    assert len(wire.calls) == 1
    assert sorted(answer.cached for answer in answers) == [False] + [True] * 11
    *_, total = map(json.loads, command("usage", "--json").splitlines())
    paid = sum(answer.cost_usd for answer in answers)
    assert (total["calls"], total["hits"]) == (1, 11)
    assert (total["cost_usd"], total["saved_usd"]) == (
        pytest.approx(paid),
        pytest.approx(11 * paid),
    )


def completions(*arguments, **env):
    return warm.run(arguments, {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env})


def test_a_bust_hides_its_namespace_and_no_other(
    complete, wire, openai_env, start_worker, redis_url
):
    """From the command line, while the fleet runs; it needs no provider's key."""
    start_worker(openai_env)

    def cached(namespace):
        return (
            complete.delay(ask("same"), "u1", temperature=0, cache_namespace=namespace)
            .value(30)
            .cached
        )

    assert [cached("faq"), cached("faq"), cached("blog"), cached("blog")] == [
        False,
        True,
        False,
        True,
    ]
    busted = completions("cache", "bust", "--namespace", "faq", REDIS_URL=redis_url)
    assert (busted.returncode, busted.stdout) == (0, "Busted namespace faq: generation 1.\n")
    assert [cached("faq"), cached("blog")] == [False, True]
    completions("cache", "bust", "--all", REDIS_URL=redis_url)
    assert [cached("faq"), cached("blog")] == [False, False]


def test_a_bust_of_a_tag_hides_what_was_served_under_it(
    complete, wire, openai_env, start_worker, redis_url
):
    """Whoever made it; and what was made before the bust is served under the tag no more."""
    start_worker(openai_env)

    def cached(text, *tags):
        return complete.delay(ask(text), "u1", temperature=0, tags=tags).value(30).cached

    assert [cached("q"), cached("q", "faq", "blog"), cached("other")] == [False, True, False]
    completions("cache", "bust", "--tag", "faq", REDIS_URL=redis_url)
    assert [cached("q", "faq"), cached("other", "faq"), cached("other")] == [False, False, True]
    assert [cached("q", "faq"), cached("q", "blog"), cached("q")] == [True, True, True]


def test_an_entry_serves_no_endless_list_of_tags(complete, openai_env, start_worker, redis_url):
    """The 65th tag is answered anew; the entry's life is not renewed by those before."""
    start_worker(openai_env)
    with LedgerProbe(redis_url) as ledger:
        complete.delay(ask("q"), "u1", temperature=0).value(30)
        (entry,) = ledger.redis.scan_iter(f"{KEYS.cached}*")
        ledger.redis.pexpire(entry, 5_000_000)
        cached = [
            complete.delay(ask("q"), "u1", temperature=0, tags=[f"{n}-{m}" for m in range(8)])
            .value(30)
            .cached
            for n in range(8)
        ]
        assert cached == [True] * 8
        assert 0 < ledger.redis.pttl(entry) <= 5_000_000
        assert not complete.delay(ask("q"), "u1", temperature=0, tags=["more"]).value(30).cached


def test_a_bust_must_say_what():
    """Neither nothing nor both."""
    done = completions("cache", "bust")
    assert done.returncode == 2
    assert "say one of --namespace NAME, --tag TAG and --all" in done.stderr
