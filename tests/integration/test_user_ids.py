"""With `LLM_USER_IDS`, one person is one user wherever a user is named."""

import json
from contextlib import closing

import pytest
from click.testing import CliRunner
from support.ledger import ask, connection

import producer
from producer import Batch
from producer.contract.errors import RateLimited
from producer.contract.user_ids import FORMS, forms_of
from worker.broker.foreign_messages import submission_of_message
from worker.commands.erase import erase
from worker.commands.limits import limits
from worker.monitoring.health import Health
from worker.settings import HealthSettings

BOTH = ",".join(FORMS)
SPELT = ("Ren\u00e9@Host", "rene\u0301@host", "REN\u00c9@HOST")
NAME = "ren\u00e9@host"


@pytest.fixture
def complete(redis_url):
    producer.configure(redis_url, user_ids=BOTH)
    yield producer.complete
    producer.configure(redis_url)


def test_jobs_batches_and_limits_are_one_user_s(complete):
    jobs = [complete.delay(ask(str(number)), each) for number, each in enumerate(SPELT)]
    jobs += complete.many([ask("m")], SPELT[2])
    assert (
        {job.progress().user_id for job in jobs} == {producer.user_as_counted(SPELT[0])} == {NAME}
    )
    again = [Batch.submit([ask("x")], each, batch_id="b") for each in SPELT[:2]]
    assert {batch.progress().user_id for batch in again} == {NAME}
    same = [complete.delay(ask("k"), each, idempotency_key="k") for each in SPELT]
    assert len({job.id for job in same}) == 1
    used = {each: [row.limit for row in producer.limits(each)] for each in SPELT}
    assert len(set(map(tuple, used.values()))) == 1


def test_so_are_they_in_commands(complete, monkeypatch, redis_url):
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("LLM_USER_IDS", BOTH)
    called(limits, "set", SPELT[0], "--usd-per-day", "3")
    assert f"user {NAME}: usd_per_day 3" in called(limits, "show", SPELT[1])
    assert [row.allowed for row in producer.limits(SPELT[2]) if row.limit == "usd_per_day"] == [3]
    complete.delay(ask("x"), SPELT[1])
    producer.configure(redis_url, user_ids="nfc")
    before = producer.complete.delay(ask("x"), SPELT[2])
    assert before.progress().user_id == SPELT[2]
    assert "Forgotten: 2 jobs" in called(erase, SPELT[2], "--reason", "asked", "--yes")
    assert NAME not in called(limits, "show")


def called(command, *arguments):
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_plain_celery_client_s_message_is_that_user_s_too():
    foreign = {"args": (ask("x"), SPELT[2]), "kwargs": {}, "options": {}}
    assert submission_of_message("j", foreign, forms_of(BOTH)).user_id == NAME


def test_a_form_that_there_is_not_is_told(command):
    told = command("limits", "show", code=1, LLM_USER_IDS="lower")
    assert "LLM_USER_IDS" in told
    assert "casefold" in told


def test_usage_and_health_see_one_user(complete, start_worker, command, redis_url):
    """Refused under three spellings, one person is no fleet that hurts its users."""
    start_worker({"LLM_USER_IDS": BOTH, "LLM_USER_REQUESTS_PER_MINUTE": "3"})
    for number, each in enumerate(SPELT):
        assert complete.delay(ask(f"x {number}"), each).value(30)
    for number, each in enumerate(SPELT):
        with pytest.raises(RateLimited):
            complete.delay(ask(f"y {number}"), each).value(30)
    rows = [json.loads(line) for line in command("usage", "--json").splitlines()]
    assert [(row["user"], row["calls"]) for row in rows] == [(NAME, 3), (None, 3)]
    with closing(connection(redis_url)) as ledger:
        verdict = Health(ledger, HealthSettings(least=3)).check()
    assert (verdict.snapshot.users.ended, verdict.snapshot.users.refused) == (1, 1)
    assert verdict.findings == ()
