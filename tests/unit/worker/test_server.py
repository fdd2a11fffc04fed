"""What a server says of itself, by which it is a fleet's or is refused by name."""

import pytest

from worker.ledger.server import Server

REDIS = {"redis_version": "7.4.2", "redis_mode": "standalone", "cluster_enabled": 0}
WELL = [
    REDIS,
    {"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "9.1.0"},
    REDIS | {"maxmemory": 1_000_000, "maxmemory_policy": "noeviction"},
    REDIS | {"maxmemory": 0, "maxmemory_policy": "allkeys-lru"},
    {},
    {"redis_version": "unstable", "aof_enabled": 1},
]
NOT_FOR_JOBS = {
    "Redis 6.2.14; ": {"redis_version": "6.2.14"},
    "Redis 5.0.7; ": {"redis_version": "5.0.7", "redis_mode": "standalone"},
    "Dragonfly df-v1.40.1, which has no functions": {
        "redis_version": "7.4.0",
        "dragonfly_version": "df-v1.40.1",
    },
    "KeyDB 6.3.4, which has no functions": {"redis_version": "6.3.4", "mvcc_depth": 0},
    "KeyDB 7.0.1, which": {"redis_version": "7.0.1", "executable": "/data/keydb-server"},
    "maxmemory-policy is allkeys-lru": REDIS
    | {"maxmemory": 30_000_000, "maxmemory_policy": "allkeys-lru"},
    "maxmemory-policy is volatile-ttl": REDIS
    | {"maxmemory": "1", "maxmemory_policy": "volatile-ttl"},
}


@pytest.mark.parametrize("info", WELL)
def test_a_server_that_will_do(info):
    server = Server.of(info)
    assert [*server.cannot_serve(), *server.cannot_keep_jobs()] == []


@pytest.mark.parametrize(("said", "info"), NOT_FOR_JOBS.items())
def test_a_server_that_is_no_ledger_is_refused_by_name(said, info):
    server = Server.of(info)
    (reason,) = server.cannot_keep_jobs()
    assert said in reason
    assert "Fix: " in reason
    assert [*server.cannot_serve()] == []


@pytest.mark.parametrize("info", [{"cluster_enabled": 1}, {"redis_mode": "cluster"}])
def test_a_node_of_a_cluster_serves_for_nothing(info):
    (reason,) = Server.of(REDIS | info).cannot_serve()
    assert "Redis Cluster" in reason
    assert "Fix: " in reason


def test_what_can_be_lost_is_told():
    server = Server.of(REDIS | {"maxmemory_policy": "allkeys-lru", "aof_enabled": 0})
    assert ["UNSAFE_LEDGER" in each for each in server.can_lose_jobs()] == [True, True]
