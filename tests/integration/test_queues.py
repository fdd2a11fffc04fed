"""Ids on the broker's queues, put there by the ledger where one server is both."""

import json
from contextlib import contextmanager
from itertools import pairwise

import pytest
from support.ledger import ask, connection

from producer.client import configure
from producer.contract.ledger.keys import LedgerKeys
from producer.contract.names import FleetNames
from producer.contract.publication import Publication
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Submission
from producer.publishing import publish_all
from worker.broker.entries import message_of
from worker.ledger.connection import Keys
from worker.ledger.ledger import Ledger
from worker.settings import LedgerSettings

IDS = ("plain", 'q"u\\o/te', "%s%d", "é✓", "x" * 1000)


@contextmanager
def fleet(url, prefix="cc"):
    """A ledger with room whose server is the broker, and its client."""
    with connection(url).redis as redis:
        ledger = Ledger(redis, Keys(prefix, is_broker=True), LedgerSettings(), "test")
        ledger.heartbeat("w", 20, 60)
        yield ledger, redis


def submission(job_id, lane="interactive"):
    request = CompletionRequest.checked(messages=ask("Hi"), lane=lane)
    return Submission(job_id, "u", request, {})


def taken(redis, prefix="cc", lane="interactive"):
    """What workers would take from the queue, in that order."""
    queue = FleetNames.of(prefix).queues[lane]
    return queue, [entry.encode() for entry in reversed(redis.lrange(queue, 0, -1))]


@pytest.mark.parametrize("prefix", ["cc", "other-1.x"])
@pytest.mark.parametrize("lane", ["interactive", "batch"])
def test_an_id_is_on_its_queue_when_its_job_is_released(redis_url, prefix, lane):
    with fleet(redis_url, prefix) as (ledger, redis):
        for job_id in IDS:
            assert ledger.submit(submission(job_id, lane)).publications == []
        queue, entries = taken(redis, prefix, lane)
        messages = [message_of(entry, queue, adopt=False) for entry in entries]
        assert [each["headers"]["id"] for each in messages] == list(IDS)
        tags = [each["properties"]["delivery_tag"] for each in messages]
        assert len(set(tags)) == len(IDS)


def test_its_message_is_celery_s_own(redis_url):
    """So that also workers of other versions read it. Celery's says who sent it, and when not."""
    configure(redis_url)
    with fleet(redis_url) as (ledger, redis):
        ledger.submit(submission("job"))
        publish_all([Publication("job", "interactive", {})])
        queue, entries = taken(redis)
        ours, celery_s = map(json.loads, entries)
        assert ours.keys() == celery_s.keys()
        assert ours["properties"].keys() <= celery_s["properties"].keys()
        assert ours["headers"].items() <= celery_s["headers"].items()
        tags = [each["properties"].pop("delivery_tag") for each in (ours, celery_s)]
        assert tags[0] != tags[1]
        for one, other in pairwise([message_of(entry, queue, adopt=True) for entry in entries]):
            one["properties"]["delivery_tag"] = other["properties"]["delivery_tag"]
            assert one == other


def test_who_cannot_put_it_there_is_told(redis_url):
    """The ledger's user may have no right to the queues; the job is released all the same."""
    with fleet(redis_url) as (ledger, redis):
        redis.set(FleetNames.of("cc").queues["interactive"], "no list")
        told = ledger.submit(submission("job")).publications
        assert told == [Publication("job", "interactive", {})]


def test_a_message_that_is_there_is_not_sent_again(redis_url):
    with fleet(redis_url) as (ledger, redis):
        told = ledger.submit(submission("job"), adopted=True).publications
        assert told == [Publication("job", "interactive", {})]
        assert taken(redis)[1] == []


def test_without_a_word_of_it_the_server_is_no_broker(redis_url):
    with connection(redis_url).redis as redis:
        ledger = Ledger(redis, Keys(), LedgerSettings(), "test")
        told = ledger.submit(submission("job")).publications
        assert [each.job_id for each in told] == ["job"]
        assert taken(redis)[1] == []


def test_one_url_for_both_is_one_server(redis_url):
    assert connection(redis_url).keys.of_calls == LedgerKeys(is_broker=True).of_calls
