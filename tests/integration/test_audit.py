"""What was sent can be proved, is read by those with a key and a reason, and is forgotten with its
user.
"""

import contextlib
import json

import pytest
from support import acl
from support.ledger import KEYS, ask, until

import producer
from producer.contract.errors import JobError
from worker.embedded import EmbeddedValkey
from worker.ledger.connection import connect
from worker.sealing import Seal, new_pair

OLD, NEW = new_pair(), new_pair()


@pytest.fixture
def sink(tmp_path):
    """The audit log's own server, with the users we ship: a worker can do nothing there but add."""
    (tmp_path / "users.acl").write_text(
        acl.filled().partition("\n")[2]
    )  # the first line turns the default user off
    with EmbeddedValkey(
        tmp_path / "audit", options=["--aclfile", str(tmp_path / "users.acl")]
    ) as server:
        yield server


def at(sink, user):
    return acl.logged_in(sink.url(), user)


@pytest.fixture
def audited(openai_env, sink):
    return openai_env | {
        "LLM_AUDIT_URL": at(sink, "audit_writer"),
        "LLM_AUDIT_KEY": OLD.public,
        "LLM_COOLDOWN_SECONDS": "0.05",
    }


@pytest.fixture
def audit(command, sink):
    """`audit(*arguments, code=0, **env)`: the command, as a reader with both keys runs it."""

    def run(*arguments, **options):
        keys = {
            "LLM_AUDIT_KEY": NEW.public,
            "LLM_AUDIT_PRIVATE_KEYS": f"{NEW.private}, {OLD.private}",
        }
        return command(
            "audit", *arguments, LLM_AUDIT_URL=at(sink, "audit_reader"), **keys | options
        )

    return run


def shown(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_job_is_kept_sealed_and_shown_with_a_reason(
    complete, wire, audited, start_worker, sink, audit, tmp_path
):
    """Every call of it, a cached answer too; nothing on the server can be read; each access is
    recorded.
    """
    wire.script = lambda request, number: "500" if number == 0 else "ok"
    start_worker(audited)
    first = complete.delay(ask("the secret prompt"), "alice", temperature=0, max_tokens=20)
    answer = first.value(30)
    second = complete.delay(ask("the secret prompt"), "bob", temperature=0, max_tokens=20)
    assert second.value(30).cached
    redis = connect(sink.url())
    kept = "".join(
        map(repr, (redis.lrange(KEYS.audit_entries(job.id), 0, -1) for job in (first, second)))
    )
    assert [word for word in ("secret prompt", answer.text) if word in kept] == []
    assert 0 < redis.ttl(KEYS.audit_entries(first.id)) <= 90 * 86_400
    assert audit("show", first.id, code=2).count("--reason")
    entries = shown(audit("show", first.id, "--reason", "ticket 4711"))
    assert [(each["what"], each["link"]) for each in entries] == [
        ("asked", None),
        ("failed", "openai:gpt-4o-mini"),
        ("answered", "openai:gpt-4o-mini"),
    ]
    assert entries[0]["content"]["messages"] == ask("the secret prompt")
    assert entries[1]["note"] == "unavailable"
    assert entries[2]["content"]["text"] == answer.text
    assert [each["link"] for each in shown(audit("show", second.id, "--reason", "the same"))] == [
        None,
        "cache",
    ]
    accesses = shown(audit("accesses", "--json"))
    assert [(each["what"], each["about"], each["reason"]) for each in accesses] == [
        ("shown", second.id, "the same"),
        ("shown", first.id, "ticket 4711"),
    ]
    assert "@" in accesses[0]["who"]
    assert first.id in audit("list", "alice")
    the_prompt_is_proved_without_a_key(audit, first.id, tmp_path, entries[0]["note"])
    redis.close()


def the_prompt_is_proved_without_a_key(audit, job_id, folder, logged):
    """By the hash that the workers' log has, too."""
    for text, code, said in (("the secret prompt", 0, "yes"), ("another prompt", 1, "no")):
        (folder / "messages.json").write_text(json.dumps(ask(text)))
        assert said in audit(
            "prove", job_id, str(folder / "messages.json"), code=code, LLM_AUDIT_PRIVATE_KEYS=""
        )
    assert logged in (folder / "worker1.log").read_text()
    assert "not in LLM_AUDIT_PRIVATE_KEYS" in audit(
        "show", job_id, "--reason", "x", code=1, LLM_AUDIT_PRIVATE_KEYS=NEW.private
    )


@pytest.mark.faults
def test_keys_are_changed_without_losing_what_was_sealed(
    complete, wire, audited, start_worker, audit
):
    """After a rotation the old private key opens nothing any more, and is not needed."""
    start_worker(audited)
    jobs = [complete.delay(ask(f"question {n}"), "alice") for n in range(3)]
    for job in jobs:
        job.value(30)
    assert f"sealed anew for key {Seal(NEW.public).id}" in audit("rotate")
    assert audit("rotate").startswith("0 entries")
    (asked, _) = shown(
        audit("show", jobs[0].id, "--reason", "after", LLM_AUDIT_PRIVATE_KEYS=NEW.private)
    )
    assert asked["content"]["messages"] == ask("question 0")
    assert "not in LLM_AUDIT_PRIVATE_KEYS" in audit(
        "show", jobs[0].id, "--reason", "x", code=1, LLM_AUDIT_PRIVATE_KEYS=OLD.private
    )


@pytest.mark.faults
def test_what_cannot_be_kept_is_not_sent(
    complete, wire, audited, start_worker, sink, command, audit
):
    """The job waits for the audit log; an answer that is on its way when it goes away is given out,
    and the gap is logged.
    """
    wire.script = lambda request, number: "ok;delay=1" if number == 0 else "ok"
    worker = start_worker(audited)
    under_way = complete.delay(ask("under way"), "alice")
    wire.wait_for(lambda calls: len(calls) == 1)
    sink.kill()
    assert under_way.value(30).text
    worker.wait_for_log("AUDIT_GAP: the audit log lacks what was answered")
    waits = complete.delay(ask("waits"), "alice")
    until(lambda: waits.progress().state == "parked")
    assert waits.progress().attempts == 0
    assert "audit: the audit log did not answer" in command("health", code=1)
    assert len(wire.calls) == 1
    sink.start()
    assert waits.value(30).attempts == 1
    assert [each["what"] for each in shown(audit("show", waits.id, "--reason", "x"))] == [
        "asked",
        "answered",
    ]


def test_a_user_is_forgotten_everywhere(
    complete, wire, audited, start_worker, sink, audit, command, redis_url
):
    """Ledger, cache, result backend, dead letters, batches, idempotency, limits, audit log. Others
    keep theirs; sums stay.
    """
    wire.script = lambda request, number: (
        "500" if "broken" in str(request) else "hang" if "hang" in str(request) else "ok"
    )
    start_worker(audited | {"LLM_MAX_ATTEMPTS": "1"})
    mine = [
        complete.delay(ask(f"alice {n}"), "alice", temperature=0, idempotency_key=f"k{n}")
        for n in range(3)
    ]
    mine.append(complete.delay(ask("broken"), "alice"))
    others = [complete.delay(ask(f"bob {n}"), "bob", temperature=0) for n in range(2)]
    others.append(complete.delay(ask("namesake"), "alice:b", idempotency_key="k"))
    batch = producer.Batch.submit([ask("item 1"), ask("item 2")], "alice")
    for job in [*mine, *others]:
        with contextlib.suppress(JobError):
            job.get(timeout=30)
    until(lambda: batch.progress().done == 2)
    running = complete.delay(ask("hang"), "alice")
    wire.wait_for(lambda calls: any("hang" in str(call.request) for call in calls))
    command("limits", "set", "alice", "--weight", "2")
    env = {"LLM_AUDIT_URL": at(sink, "audit_reader"), "LLM_AUDIT_KEY": OLD.public}
    said = command("erase", "alice", "--reason", "request of today", "--yes", **env)
    assert "3 cached answers, 1 batches" in said
    redis = connect(redis_url)
    assert redis.get(KEYS.idempotency("alice:b", "k")) == others[-1].id
    kept = [
        key
        for key in redis.scan_iter("*")
        if any(word in key for word in (":alice", *(job.id for job in [*mine, running])))
    ]
    kept = [key for key in kept if "alice:b" not in key]
    assert [
        key for key in kept if not key.startswith(f"{KEYS.root}bud:")
    ] == []  # what was used counts until its window ends
    assert [
        key for key in redis.scan_iter(KEYS.job("*")) if redis.hget(key, "user") == "alice"
    ] == []
    assert complete.delay(ask("bob 0"), "bob", temperature=0).value(30).cached
    assert not complete.delay(ask("alice 0"), "bob", temperature=0).value(30).cached
    assert all(redis.ttl(key) > 0 for key in redis.scan_iter(KEYS.root + "use:*"))
    usage = command("usage", "--by", "user", "--json")
    *rows, _ = map(json.loads, usage.splitlines())
    assert {row["user"]: row["calls"] for row in rows} == {
        "erased": 5,
        "bob": 3,
        "alice:b": 1,
    }
    assert audit("list", "alice") == ""
    assert audit("list", "bob").count("answered") == 4
    assert shown(audit("accesses", "--json"))[0]["reason"] == "request of today"
    redis.close()
