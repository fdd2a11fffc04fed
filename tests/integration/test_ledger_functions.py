"""The ledger's functions as a library: both sides use one dictionary of names, no wrong argument
leaves anything half written, and keys of free text never meet.
"""

import inspect
import json
from dataclasses import fields

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.exceptions import ResponseError
from support import hostile
from support.keys import AllKeys
from support.ledger import KEYS

from producer.contract.ledger import calls
from producer.contract.ledger.call import Call
from producer.contract.ledger.functions import Functions, InvalidCall
from producer.contract.ledger.keys import LedgerKeys
from worker.broker import released_ids
from worker.ledger import fleet_functions as fleet
from worker.ledger import job_functions as moves
from worker.ledger import semantic_functions as near
from worker.ledger.attempt import NOT_CACHED
from worker.ledger.connection import connect, ledger_functions
from worker.ledger.fleet_functions import setting_names
from worker.ledger.fleet_limits import NO_LIMITS, FleetLimits

PERIODS = ("usd_per_day", "usd_per_week", "usd_per_month")
CALLS = {
    each.function: each
    for module in (calls, fleet, moves, near, released_ids)
    for _, each in inspect.getmembers(module, inspect.isclass)
    if issubclass(each, Call) and each is not Call
}


@pytest.fixture
def redis(redis_url):
    with connect(redis_url) as client:
        yield client


@pytest.fixture
def call(redis):
    return ledger_functions(redis, KEYS)


@pytest.fixture
def described(call, redis):
    call.load()
    return json.loads(redis.fcall(call.library.function("describe"), 1, KEYS.root))


def names(cls):
    return [each.name for each in fields(cls)]


def item_class(cls):
    """What `items: tuple[X, ...]` holds; None for texts or none at all."""
    hints = inspect.get_annotations(cls, eval_str=True)
    held = getattr(hints.get("items"), "__args__", (str,))[0]
    return None if held is str else held


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_call_and_its_function_name_the_same_fields(name, described):
    cls, function = CALLS[name], described["functions"][name]
    assert [each for each in names(cls) if each != "items"] == list(function["takes"])
    assert names(cls.reply) == list(function["gives"])
    assert ("items" in names(cls)) == bool(function["each"])
    if item_class(cls):
        assert names(item_class(cls)) == function["each"]


def test_every_function_has_a_call(described):
    assert set(described["functions"]) == set(CALLS)


def test_both_sides_name_the_keys_alike(described):
    ours = {name.replace("cached_entry", "cached"): key for name, key in named_keys().items()}
    assert {name: ours[name] for name in described["keys"]} == described["keys"]


SAMPLES = ("<1>", "<2>", "<3>")


def named_keys():
    """Every key of the Python side, made from samples."""
    found = {}
    for name in sorted(dir(AllKeys), reverse=True):
        if name.startswith("_") or name == "prefix":
            continue
        key = getattr(KEYS, name)
        if callable(key):
            parameters = inspect.signature(key).parameters
            key = key(*SAMPLES[: len(parameters)])
        found.setdefault(name, key)
    del found["cached"]  # the beginning of what the functions name so
    return found


EVERYTHING = """
local keys = redis.call('KEYS', '*')
table.sort(keys)
local found = {}
for _, key in ipairs(keys) do
  found[#found + 1] = { key, redis.call('DUMP', key), tostring(redis.call('TTL', key) >= 0) }
end
return found"""


def everything(redis):
    """The whole keyspace, in one trip: each key, its value and whether it expires."""
    return redis.execute_command("EVAL", EVERYTHING, 0, NEVER_DECODE=True)


def refusal(redis, function, arguments):
    """What the server says; None if the function ran."""
    try:
        redis.fcall(function, 1, KEYS.root, *arguments)
    except ResponseError as error:
        return str(error)
    return None


def arguments_with(valid, position, value):
    changed = list(valid)
    changed[position] = value
    return changed


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_refused_call_has_written_nothing(name, call, redis):
    """Every argument of every function, one at a time, with every hostile value."""
    hostile.busy_ledger(redis, call)
    valid = hostile.valid_calls()[name].arguments
    before, refused = everything(redis), 0
    variants = [
        arguments_with(valid, position, value)
        for position in range(len(valid))
        for value in hostile.VALUES
    ]
    for arguments in [*variants, valid[:-1], [*valid, "1"]]:
        error = refusal(redis, call.library.function(name), arguments)
        if error is None:
            hostile.busy_ledger(redis, call)
            before = everything(redis)
            continue
        assert error.startswith(f"INVALID {name}: "), (arguments, error)
        assert everything(redis) == before, arguments
        refused += 1
    assert refused >= min(len(valid), 1)


@pytest.mark.parametrize("root", ["", "cc:", "cc:{0}", "cc:{0}:j:", "*", "cc:{1}:"])
def test_a_function_takes_no_other_root(root, call, redis):
    call.load()
    with pytest.raises(ResponseError, match="INVALID status: needs the root"):
        redis.fcall(call.library.function("status"), 1, root, "x")
    with pytest.raises(ResponseError, match="INVALID status: needs the root"):
        redis.fcall(call.library.function("status"), 2, KEYS.root, KEYS.root, "x")


def test_a_job_runs_to_its_end_after_each_valid_call(call, redis):
    """The calls that the test above spoils one argument of are good ones."""
    for valid in hostile.valid_calls().values():
        hostile.busy_ledger(redis, call)
        call(valid)


free_text = st.text(st.sampled_from("a1:é{}~ "), min_size=1, max_size=6)


@given(first=st.tuples(free_text, free_text), second=st.tuples(free_text, free_text))
def test_two_free_texts_never_share_a_key(first, second):
    keys = AllKeys()
    makers = (
        keys.idempotency,
        lambda a, b: keys.cached_entry("0.0", a, b),
        lambda a, b: keys.flight("0.0", a, b),
    )
    for key in makers:
        assert (key(*first) == key(*second)) == (first == second)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.tuples(free_text, free_text), second=st.tuples(free_text, free_text))
def test_an_idempotency_key_is_its_users_own(first, second, redis, call):
    redis.flushall()
    for number, (user, key) in enumerate((first, second)):
        reply = call(hostile.submit(hostile.item(str(number), user=user, idempotency_key=key)))
        ((state, job_id),) = reply.jobs
        if number == 0 or first != second:
            assert (state, job_id) == ("new", str(number))
            assert redis.get(KEYS.idempotency(user, key)) == str(number)
        else:
            assert (state, job_id) == ("conflict", "0")  # another fingerprint


def test_the_same_request_of_another_user_is_another_job(call, redis):
    first = hostile.item("same", user="alice", fingerprint="fp")
    second = hostile.item("same", user="mallory", fingerprint="fp")
    assert call(hostile.submit(first, first)).jobs == [["new", "same"], ["same", "same"]]
    assert call(hostile.submit(second)).jobs == [["conflict", "same"]]


def test_a_budget_without_a_limit_is_not_written(call, redis):
    call(hostile.heartbeat(slots=4, **NO_LIMITS._asdict()))
    call(hostile.submit(hostile.item("one")))
    call(hostile.start("one"))
    link = moves.ReservedLink("openai:gpt-x", 10, 100, -1, -1, -1)
    assert call(moves.Reserve("one", 1, 9000, 0, *NOT_CACHED, (link,))).verdict == "go"
    call(hostile.settle("one"))
    assert list(redis.scan_iter(f"{KEYS.root}bud:*")) == []


def test_a_first_limit_of_dollars_counts_what_was_spent_before(call, redis):
    limits = dict.fromkeys(PERIODS, "100")
    used = tuple(fleet.UsedDollars(name, 95, 3) for name in PERIODS)
    call(fleet.SetLimits("user", "alice", "", "", "", "", *limits.values(), "", used))
    call(hostile.heartbeat(slots=4))
    call(hostile.submit(hostile.item("one")))
    call(hostile.start("one"))
    reply = call(hostile.reserve("one"))
    assert reply.verdict == "over"
    found = {each.limit: each.used for each in reply.in_the_way}
    assert found == {f"user_{name}": 98 for name in PERIODS}


def test_the_settings_of_the_worker_that_started_last_hold(call, redis):
    old = hostile.heartbeat("old", age_ms=60_000, outcome_ms=1_000)
    new = hostile.heartbeat("new", age_ms=1_000, outcome_ms=2_000, user_in_flight=5)
    assert call(old).ruled_by == "old"
    for _ in range(3):
        assert (call(new).ruled_by, call(new).differing) == ("new", "")
        assert (call(old).ruled_by, call(old).differing) == ("new", "outcome_ms,user_in_flight")
        assert redis.hget(KEYS.config, "ttl") == "2000"
    call(hostile.heartbeat("new", slots=0))
    assert (call(old).ruled_by, call(old).differing) == ("old", "")
    assert redis.hget(KEYS.config, "ttl") == "1000"


def test_so_do_its_limits_and_its_calendar(call, redis):
    """One writer: what another worker thinks is told, and changes nothing."""
    limits = FleetLimits(user_tokens_per_hour=50, zone="Asia/Tokyo")._asdict()
    old = hostile.heartbeat("old", age_ms=60_000)
    new = hostile.heartbeat("new", age_ms=1_000, offsets="0:32400000", **limits)
    call(old)
    call(hostile.submit(hostile.item("one"), hostile.item("two")))
    call(hostile.start("one"))
    assert call(hostile.reserve("one")).verdict == "go"
    call(new)
    changed = "zone,user_tokens_per_hour,user_requests_per_minute,user_usd_per_day,usd_per_day"
    assert set(call(old).differing.split(",")) == set(changed.split(","))
    assert setting_names("zone,usd_per_day") == ("LLM_BUDGET_ZONE", "LLM_USD_PER_DAY")
    call(hostile.start("two"))
    link = moves.ReservedLink("openai:gpt-x", 10, 100, -1, -1, -1)
    (over,) = call(moves.Reserve("two", 1, 9000, 0, *NOT_CACHED, (link,))).in_the_way
    assert (over.limit, over.allowed) == ("user_tokens_per_hour", 50)


def test_a_server_that_lost_the_library_gets_it_again(call, redis):
    call.load()
    redis.function_flush()
    assert call(calls.Status("nothing")).state == ""
    call.load()  # and loading what is there changes nothing


def test_two_versions_live_side_by_side_until_the_old_one_is_needed_no_more(call, redis):
    other = Functions(redis, LedgerKeys("other"), ResponseError)
    assert other.library.name != call.library.name
    other.load()
    call.load()
    assert other(calls.Status("x")).state == call(calls.Status("x")).state == ""
    call(hostile.heartbeat("old", life_ms=3_600_000, library=other.library.name))
    assert call(hostile.heartbeat("new", library=call.library.name)).unneeded == []
    redis.zadd(KEYS.libraries, {other.library.name: 1})  # its last heartbeat is long ago
    reply = call(hostile.heartbeat("new", library=call.library.name))
    assert reply.unneeded == [other.library.name]
    call.delete(other.library.name)
    call.delete(other.library.name)  # another worker did it already
    assert call(calls.Status("x")).state == ""


def test_what_is_wrong_with_a_call_is_named(call):
    with pytest.raises(InvalidCall, match=r"set_limits: weight needs a number from 0.01 to 1000"):
        call(fleet.SetLimits("user", "alice", "nan", "", "", "", "", "", "", "", ()))
    with pytest.raises(InvalidCall, match=r"renew: item 1: fence needs a whole number"):
        call(moves.Renew(1, (moves.HeldLease("a", 1, False), moves.HeldLease("b", -1, False))))
