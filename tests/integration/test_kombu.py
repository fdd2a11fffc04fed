"""What we rely on inside kombu: these names and this behaviour are not its public interface, so
they are pinned here.
"""

import base64
import json

import pytest
from kombu import Connection, Consumer, Producer, Queue
from kombu.transport import get_transport_cls
from kombu.transport import redis as kombus
from redis import Redis
from support.ledger import ask

from producer.contract.names import COMPLETE, QUARANTINE, QUEUES, FleetNames
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Submission
from worker.broker import celery_policy
from worker.broker import transport as broker
from worker.ledger.connection import Keys
from worker.ledger.ledger import Ledger
from worker.node.steward import renew_visibility
from worker.settings import LedgerSettings

ORDER = {"queue_order_strategy": celery_policy.broker_transport_options["queue_order_strategy"]}


@pytest.fixture(autouse=True)
def installed():
    broker.install()


@pytest.fixture
def channel(redis_url):
    with Connection(redis_url, transport_options=ORDER) as connection:
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


class Taken(list):
    """What a consumer of our two queues was given, on a channel with room for so many."""

    def __init__(self, channel, room):
        super().__init__()
        self.channel = channel
        names = FleetNames("").queues.values()
        consumer = Consumer(channel, [Queue(name, routing_key=name)(channel) for name in names])
        consumer.register_callback(lambda _body, message: self.append(message))
        consumer.qos(prefetch_count=room)
        consumer.consume()

    def trips(self, number):
        for _ in range(number):
            self.channel.connection.drain_events(self.channel.connection.client, timeout=5)
        return [message.headers["id"] for message in self]


def publish(redis, lane, *ids):
    for each in ids:
        message = {
            "headers": {"id": each, "task": COMPLETE},
            "properties": {
                "delivery_tag": f"tag of {each}",
                "delivery_info": {},
                "body_encoding": "base64",
            },
            "content-type": "application/json",
            "body": base64.b64encode(b"[[], {}, {}]").decode(),
        }
        redis.lpush(QUEUES[lane], json.dumps(message))


@pytest.fixture
def redis(redis_url):
    with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


def test_a_trip_takes_half_of_the_room_and_the_first_lane_before_the_second(channel, redis):
    taken = Taken(channel, 6)
    publish(redis, "batch", "b1", "b2", "b3", "b4")
    publish(redis, "interactive", "i1", "i2", "i3", "i4")
    assert taken.trips(1) == ["i1", "i2", "i3"]
    assert taken.trips(1) == ["i1", "i2", "i3", "i4"]
    assert taken.trips(1) == ["i1", "i2", "i3", "i4", "b1"]
    assert taken.trips(1) == ["i1", "i2", "i3", "i4", "b1", "b2"]
    assert not channel.qos.can_consume()
    for message in list(taken):
        message.ack()
    assert taken.trips(1)[6:] == ["b3", "b4"]


def test_ids_leave_no_note_and_are_put_back_in_their_order(channel, redis):
    taken = Taken(channel, 20)
    publish(redis, "interactive", *(f"i{n}" for n in range(6)))
    taken.trips(1)
    assert redis.exists(channel.unacked_key, channel.unacked_index_key) == 0
    assert channel.qos.taken(60) == [f"i{n}" for n in range(6)]
    assert channel.qos.taken(0) == channel.qos.noted == []
    taken[0].ack()
    taken[1].requeue()
    assert channel.qos.taken(60) == [f"i{n}" for n in range(2, 6)]
    channel.close()
    again = [json.loads(each) for each in redis.lrange(QUEUES["interactive"], 0, -1)]
    assert [each["headers"]["id"] for each in again[::-1]] == ["i2", "i3", "i4", "i5", "i1"]
    assert {each["content-type"] for each in again} == {"application/json"}  # all versions read it


def test_a_message_that_may_have_arguments_is_taken_alone_and_noted(redis_url, redis):
    options = {"adopt_foreign_messages": True}
    with Connection(redis_url, transport_options=options) as connection:
        channel = connection.default_channel
        taken = Taken(channel, 20)
        publish(redis, "interactive", "i1", "i2")
        assert taken.trips(1) == ["i1"]
        taken.clear()
        redis.delete(QUEUES["interactive"])
        publish(redis, "interactive", "i3")
        entry = json.loads(redis.lpop(QUEUES["interactive"]))
        entry["body"] = base64.b64encode(b'[["text"], {}, {}]').decode()
        redis.lpush(QUEUES["interactive"], json.dumps(entry))
        assert taken.trips(1) == ["i3"]
        assert redis.hkeys(channel.unacked_key) == ["tag of i3"]
        taken[0].ack()
        assert redis.exists(channel.unacked_key, channel.unacked_index_key) == 0


@pytest.fixture
def one_server(redis_url, redis):
    """A channel of a fleet whose ledger is on the broker's server, and that ledger."""
    options = ORDER | {"adopt_foreign_messages": True, "ledger_here": "cc"}
    ledger = Ledger(redis, Keys("cc", is_broker=True), LedgerSettings(), "test")
    ledger.heartbeat("w", 40, 60)
    with Connection(redis_url, transport_options=options) as connection:
        yield connection.default_channel, ledger


def release(ledger, lane, *ids):
    """Jobs whose ids the ledger itself puts on their queue."""
    for each in ids:
        request = CompletionRequest.checked(messages=ask("Hi"), lane=lane)
        assert not ledger.submit(Submission(each, "u", request, {})).publications


def test_ids_of_the_ledger_are_taken_together_and_other_messages_alone(one_server, redis):
    channel, ledger = one_server
    release(ledger, "interactive", "i1", "i2")
    publish(redis, "interactive", "theirs", "theirs too")
    release(ledger, "interactive", "i3", "i4")
    release(ledger, "batch", "b1", "b2")
    taken = Taken(channel, 40)
    assert taken.trips(1) == ["i1", "i2"]  # and nothing of the batch lane before the others
    assert taken.trips(1)[2:] == ["theirs"]
    assert taken.trips(1)[3:] == ["theirs too", "i3", "i4", "b1", "b2"]
    assert redis.keys("*completions*") == []


def test_no_more_ids_are_taken_than_half_of_the_room(one_server, redis):
    channel, ledger = one_server
    release(ledger, "interactive", *(f"i{n}" for n in range(5)))
    assert Taken(channel, 6).trips(1) == ["i0", "i1", "i2"]
    assert redis.llen(QUEUES["interactive"]) == 2


def test_without_the_ledger_s_functions_an_id_is_taken_as_any_entry(one_server, redis):
    """They are loaded again by the next call of the ledger."""
    channel, ledger = one_server
    release(ledger, "interactive", "i1", "i2", "i3")
    redis.function_flush()
    taken = Taken(channel, 40)
    assert taken.trips(2) == ["i1", "i2"]
    ledger.heartbeat("w", 40, 60)
    release(ledger, "interactive", "i4")
    assert taken.trips(1) == ["i1", "i2", "i3", "i4"]


def test_a_server_that_cannot_give_several_gives_one(channel, redis):
    channel.client.connection = channel.client.connection or channel.async_pool.get_connection()
    send = channel.client.connection.send_command
    channel.client.connection.send_command = lambda name, *args: send(
        name.replace("BLMPOP", "BLMPOP_OF_LATER"), *args
    )
    taken = Taken(channel, 20)
    publish(redis, "interactive", "i1", "i2")
    assert taken.trips(2) == ["i1", "i2"]


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
