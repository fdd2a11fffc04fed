"""Redis as people have it: sockets, IPv6, odd passwords, databases; and what is refused by name."""

import asyncio
from urllib.parse import quote

import pytest
from redis import Redis
from support.imitated_servers import INFO, ImitatedServer
from support.ledger import ask

import producer
from producer.contract.errors import Unavailable
from worker import startup_checks
from worker.embedded import EmbeddedValkey
from worker.ledger.connection import LedgerConnection
from worker.settings import RedisSettings, SettingsError

PASSWORD = "p@ss:w/rd#?%;&+ ü\"'[]"
USER = "app;user@1"


@pytest.fixture
def server(tmp_path):
    """With a user of an odd name, and a socket."""
    path = tmp_path / "s.sock"
    options = ["--unixsocket", str(path), "--bind", "127.0.0.1", "-::1"]
    with EmbeddedValkey(tmp_path / "forms", options=options) as valkey:
        with Redis.from_url(valkey.url()) as redis:
            redis.acl_setuser(
                USER, True, passwords=f"+{PASSWORD}", keys="*", channels="*", categories=["+@all"]
            )
            redis.acl_setuser("default", False)
        yield valkey, path


def forms(port, path):
    login = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"
    return [
        f"unix://{login}@{path}?db=3",
        f"redis+socket://{login}@{path}?virtual_host=3",
        f"redis://{login}@127.0.0.1:{port}/3",
        f"redis://{login}@[::1]:{port}?db=3",
    ]


async def waited(job):
    return await job


def test_each_form_of_a_url_does_everything(server, start_worker, command):
    valkey, path = server
    urls = forms(valkey.port, path)
    start_worker({"REDIS_URL": urls[0]})
    for url in urls:
        producer.configure(url)
        job = producer.complete.delay(ask("x"), "u")
        assert asyncio.run(waited(job)).text == job.get(timeout=20)["text"], url
    told = command("check", REDIS_URL=urls[0])
    assert "broker and results: answer" in told
    assert PASSWORD not in told


def refused(**urls):
    connection = LedgerConnection(RedisSettings(**urls))
    with pytest.raises(SettingsError) as caught:
        startup_checks.load_functions(connection)
    connection.close()
    return str(caught.value)


@pytest.mark.parametrize("name", INFO)
def test_a_server_that_cannot_be_a_ledger_is_refused_by_name(name):
    with ImitatedServer(INFO[name]) as other:
        said = refused(url=other.url)
    assert said.startswith("LEDGER_URL: it is ")
    assert name in said
    assert "Fix: " in said


def test_a_cluster_is_refused_whatever_it_is_for(redis_url, tmp_path):
    options = ["--cluster-enabled", "yes"]
    with EmbeddedValkey(tmp_path / "cluster", options=options) as node:
        said = refused(url=redis_url, broker_url=node.url(), backend_url=node.url())
        assert "CELERY_BROKER_URL: it is a node of a Redis Cluster" in said
        assert "CELERY_RESULT_BACKEND: it is a node of a Redis Cluster" in said
        assert "LEDGER_URL: it is a node of a Redis Cluster" in refused(url=node.url())


def test_a_ledger_that_evicts_is_refused_with_the_reason(own_valkey):
    with Redis.from_url(own_valkey.url()) as redis:
        redis.config_set("maxmemory", "50mb")
        redis.config_set("maxmemory-policy", "volatile-lru")
    said = refused(url=own_valkey.url())
    assert "maxmemory-policy is volatile-lru" in said
    assert "noeviction" in said.partition("Fix: ")[2]


def test_a_service_without_info_and_functions_is_told_what_is_missing(command):
    with ImitatedServer(None) as other:
        assert "FUNCTION and FCALL" in refused(url=other.url)
        told = command("ask", "x", "--user", "u", code=1, REDIS_URL=other.url)
    assert "Redis 7 or Valkey 7.2 is needed" in told


def test_check_says_what_it_cannot_see(own_valkey, command):
    with Redis.from_url(own_valkey.url()) as redis:
        redis.acl_setuser("default", True, nopass=True, commands=["+@all", "-info", "-config"])
    told = command("check", REDIS_URL=own_valkey.url())
    assert "See yourself that maxmemory-policy is noeviction" in told


def test_what_is_wrong_on_this_side_after_a_job_was_accepted_has_its_id(redis_url, hand_run):
    """Such as an option of a broker beside the ledger that its client does not take."""
    hand_run(slots=2)
    producer.configure(redis_url, broker_url=f"{redis_url[:-1]}1")
    app = producer.complete.app
    app.conf.broker_transport_options |= {"global_keyprefix": 5}
    with pytest.raises(Unavailable, match="accepted, but its id") as caught:
        producer.complete.delay(ask("x"), "u")
    job = producer.complete.AsyncResult(caught.value.job_id)
    assert job.progress().state == "released"
    with pytest.raises(Unavailable) as caught:
        producer.complete.many([ask("y"), ask("z")], "u")
    assert caught.value.details["written"] == 2
