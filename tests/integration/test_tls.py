"""`rediss://`: everything that speaks to Redis checks the server's certificate, and says so when it
is another's.
"""

import asyncio
import os

import pytest
from support import flower, warm
from support.flower import LOGIN
from support.ledger import ask
from support.nodes import ROOT
from support.sentinels import NAME, Sentinel
from support.tls import Authority, Terminator

import producer
from producer.contract.errors import Unavailable
from producer.contract.names import QUEUES


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def port(authority, valkey, redis_url):
    with Terminator(valkey.port, authority.context()) as terminator:
        yield terminator.port


def check(url):
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "LLM_CHAIN": "simulator:s",
        "REDIS_URL": url,
    }
    return warm.run(["check"], env)


def test_everything_speaks_tls(valkey, redis_url, authority, start_worker, tmp_path):
    """Producer, waiting room, publisher, worker, result backend, Flower and its look at the queues;
    each with its certificate.
    """
    with Terminator(valkey.port, authority.context(mutual=True)) as terminator:
        url = f"rediss://127.0.0.1:{terminator.port}/0?ssl_ca_certs={authority.path}"
        mutual = f"{url}&ssl_certfile={authority.chain}&ssl_keyfile={authority.chain}"
        a_job_is_answered_and_shown(mutual, start_worker, tmp_path)
        assert "ledger: answers" in check(mutual).stdout
        producer.configure(url)
        with pytest.raises(Unavailable):
            producer.complete.delay(ask("x"), "u1")


def a_job_is_answered_and_shown(url, start_worker, tmp_path):
    producer.configure(url)
    start_worker({"REDIS_URL": url})
    with flower.running(tmp_path, REDIS_URL=url) as fleet_view:
        fleet_view.wait_shown(answered)
        assert asyncio.run(waited(producer.complete.delay(ask("y"), "u1"))).finish_reason == "stop"
        assert "completions.interactive" in fleet_view.get("/broker", LOGIN)[1]


def answered():
    job = producer.complete.delay(ask("x"), "u1")
    assert job.value(30).finish_reason == "stop"
    assert job.get(timeout=10)["finish_reason"] == "stop"
    return job


async def waited(job):
    return await job


def test_sentinels_and_the_server_they_name_are_both_spoken_to_so(port, authority, tmp_path):
    """By everything that a producer has: ledger, publisher, result backend."""
    with (
        Sentinel(tmp_path / "sentinel", port, login=False) as sentinel,
        Terminator(sentinel.port, authority.context()) as secure,
    ):
        url = f"sentinel://127.0.0.1:{secure.port}/0?master_name={NAME}&ssl_ca_certs="
        producer.configure(f"{url}{authority.path}")
        job = producer.complete.delay(ask("x"), "u1")
        assert job.progress().state == "released"
        assert job.backend.client.ping()
        with producer.complete.app.connection_for_write() as connection:
            assert connection.default_channel.client.llen(QUEUES["interactive"]) == 1
        producer.configure(f"{url}{Authority(tmp_path, 'stranger').path}")
        with pytest.raises(Unavailable):
            producer.complete.delay(ask("x"), "u1")


def test_another_authoritys_certificate_is_refused(port, tmp_path):
    url = (
        f"rediss://:hunter2@127.0.0.1:{port}/0?ssl_ca_certs={Authority(tmp_path, 'stranger').path}"
    )
    nobody_trusts(url)
    refused = check(url)
    assert refused.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr
    assert "hunter2" not in refused.stderr + refused.stdout


def test_no_authority_is_the_systems_and_not_anybodys(port):
    """As kombu would have it."""
    nobody_trusts(f"rediss://127.0.0.1:{port}/0")


def test_a_certificate_of_another_name_is_refused_unless_allowed(port, authority):
    url = f"rediss://localhost:{port}/0?ssl_ca_certs={authority.path}"
    nobody_trusts(url)
    producer.configure(f"{url}&ssl_check_hostname=false")
    assert producer.complete.delay(ask("x"), "u1").progress().state == "released"


def nobody_trusts(url):
    producer.configure(url)
    with pytest.raises(Unavailable):
        producer.complete.delay(ask("x"), "u1")
    publisher = producer.complete.app.connection_for_write().transport
    with pytest.raises(publisher.connection_errors, match="CERTIFICATE_VERIFY_FAILED"):
        publisher.establish_connection()
