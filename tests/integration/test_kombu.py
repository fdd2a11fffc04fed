"""What we rely on inside kombu: these names and this behaviour are not its public interface, so
they are pinned here.
"""

import pytest
from kombu import Connection, Producer, Queue
from kombu.transport import get_transport_cls
from kombu.transport import redis as kombus
from redis import Redis

from producer.contract.names import QUARANTINE
from worker.broker import transport as broker
from worker.node.steward import renew_visibility


@pytest.fixture(autouse=True)
def installed():
    broker.install()


@pytest.fixture
def channel(redis_url):
    with Connection(redis_url) as connection:
        assert isinstance(connection.transport, broker.Transport)
        yield connection.default_channel


def test_the_cure_is_behind_every_scheme():
    """And what kombu knows of Sentinels stays."""
    assert {get_transport_cls(scheme) for scheme in ("redis", "rediss")} == {broker.Transport}
    cured = get_transport_cls("sentinel").Channel
    assert (cured.QoS, cured.do_restore, cured._brpop_read) == (
        broker.QoS,
        broker.Channel.do_restore,
        broker.Channel._brpop_read,
    )
    assert (cured._sentinel_managed_pool, cured.connection_class) == (
        kombus.SentinelChannel._sentinel_managed_pool,
        kombus.SentinelChannel.connection_class,
    )


def deliver(channel):
    """One message, taken and not acknowledged."""
    queue = Queue("completions.interactive")(channel)
    queue.declare()
    Producer(channel).publish("hello", routing_key=queue.name)
    return queue.get()


def test_renewal_moves_the_stamp_of_unacknowledged_messages(channel, redis_url):
    """And never brings back one that was acknowledged meanwhile."""
    first, second = deliver(channel), deliver(channel)
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        for message in (first, second):
            redis.zadd(channel.unacked_index_key, {message.delivery_tag: 1})
        redis.zrem(channel.unacked_index_key, second.delivery_tag)
        renew_visibility(channel, redis)
        stamps = dict(redis.zrange(channel.unacked_index_key, 0, -1, withscores=True))
    assert set(stamps) == {first.delivery_tag}
    assert stamps[first.delivery_tag] > 1_000_000


def test_a_closed_channel_is_silent_about_what_it_had_delivered(channel):
    """kombu's own raises AttributeError here, which ends a worker."""
    first, second = deliver(channel), deliver(channel)
    channel.connection.client = (
        None  # what collect() does to a lost connection before its channel is closed
    )
    channel.close()
    first.ack()
    second.reject(requeue=True)


@pytest.mark.parametrize(("queue", "blamed"), [("completions.batch", 0), ("celery", 1)])
def test_a_fault_of_the_worker_is_not_blamed_on_a_message(
    channel, redis_url, caplog, queue, blamed
):
    """Of ours Celery gets what we built; of others' queues it gets what others wrote."""

    def fail(*_):
        raise AttributeError("'TaskPool' object has no attribute 'grow'")

    message = {"properties": {"delivery_tag": "tag"}}
    channel.connection._deliver = fail
    channel._deliver(queue, b"{}", message)
    with Redis.from_url(redis_url) as redis:
        assert redis.llen(QUARANTINE) == blamed
    assert ("BROKEN_WORKER" in caplog.text) is (not blamed)
