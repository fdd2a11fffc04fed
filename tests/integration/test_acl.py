"""`deploy/valkey-users.acl`: each user can do its work, and nothing else."""

import asyncio
from contextlib import ExitStack

import pytest
from celery import chord
from click.testing import CliRunner
from kombu import transport
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError
from support import acl, flower
from support.flower import LOGIN
from support.ledger import ask, until

import producer
from producer import errors
from producer.cli import main
from worker.embedded import EmbeddedValkey

SIMULATED = {
    "LLM_CHAIN": "simulator:sim-large,simulator:sim-small",
    "LLM_MAX_ATTEMPTS": "2",
    "LLM_BACKOFF_SECONDS": "0.05",
    "LLM_COOLDOWN_SECONDS": "0.5",
}
FAILS = ask("[[sim:fault=overloaded]] for good")
DOUBTFUL = ask("[[sim:fault=bad_response]]")
"""Each call may have been billed."""
UNASKED = {("worker", "config|get"), ("operator", "config|get")}
"""The server's configuration: asked for warnings, which there are none of then."""
LOOKER = "user test on nopass ~* &* +@all\n"


@pytest.fixture(autouse=True)
def of_a_producer(monkeypatch):
    """kombu's own transports: another test of this process may have put a worker's there."""
    for scheme in ("redis", "rediss"):
        monkeypatch.setitem(transport.TRANSPORT_ALIASES, scheme, "kombu.transport.redis:Transport")
    monkeypatch.setattr(transport, "_transport_cache", {})


@pytest.fixture
def start_server(tmp_path):
    """`start_server(name)`: its default user is off, as the file says; `test` may look on."""
    with ExitStack() as servers:

        def start(name):
            file = tmp_path / f"{name}.acl"
            file.touch()
            server = servers.enter_context(
                EmbeddedValkey(tmp_path / name, options=["--aclfile", str(file)])
            )
            load(server, file, acl.filled() + LOOKER)
            return server

        yield start


@pytest.fixture
def server(start_server):
    return start_server("users")


def load(server, file, text):
    file.write_text(text)
    with Redis.from_url(server.url()) as redis:
        redis.acl_load()


@pytest.fixture
def operate(server, monkeypatch):
    """`operate("limits show")`: what the command prints for the operator."""

    def operate_(command):
        monkeypatch.setenv("REDIS_URL", acl.logged_in(server.url(), "operator"))
        done = CliRunner().invoke(main, command.split(), catch_exceptions=False)
        assert done.exit_code == 0 or command == "health", done.output
        return done.output

    return operate_


def denied(server):
    """What users wanted and were not let."""
    with Redis.from_url(server.url().replace("://", "://test:x@"), decode_responses=True) as redis:
        return {(entry["username"], entry["object"]) for entry in redis.acl_log()}


def work(server, start_worker):
    producer.configure(acl.logged_in(server.url(), "producer"))
    start_worker(SIMULATED | {"REDIS_URL": acl.logged_in(server.url(), "worker")})
    return producer.complete


def answered(complete):
    job = complete.delay(ask("x"), "u1")
    assert job.value(30).finish_reason == "stop"
    assert job.get(timeout=10)["finish_reason"] == "stop"
    return job


def test_jobs_are_answered_shown_and_operated_on(server, start_worker, operate, tmp_path):
    """No role is refused what it needs; operator and worker are refused CONFIG and do without."""
    complete = work(server, start_worker)
    with flower.running(tmp_path, REDIS_URL=acl.logged_in(server.url(), "flower")) as fleet_view:
        failed = complete.delay(FAILS, "u5")
        doubtful = complete.delay(DOUBTFUL, "u7")
        later = complete.apply_async((ask("later"), "u6"), countdown=3600)
        assert later.progress().state == "parked"
        assert later.cancel()
        assert later.progress().state == "cancelled"
        fleet_view.wait_shown(lambda: answered(complete))
        for job in (failed, doubtful):
            with pytest.raises(errors.JobError):
                job.value(30)
        assert "completions.interactive" in fleet_view.get("/broker", LOGIN)[1]
        assert "worker1" in fleet_view.get("/api/workers?refresh=1", LOGIN)[1]
    assert "2 jobs failed for good" in operate("health")
    assert "simulator" in operate("stats")
    assert failed.id in operate("dead list")
    assert "2 calls" in operate(f"usage forgive --job {doubtful.id} --reason invoice --yes")
    assert "invoice" in operate("usage forgiven")
    assert "u7" in operate("usage --by user")
    operate("limits set u1 --weight 2")
    assert "weight 2" in operate("limits show")
    assert denied(server) <= UNASKED


@pytest.mark.faults
def test_everything_else_works_as_well_on_three_servers(
    start_server, start_worker, command, tmp_path
):
    """Canvas, awaiting, batches, documents, cancelling; replays, drills, the cache."""
    names = {
        "broker": "CELERY_BROKER_URL",
        "backend": "CELERY_RESULT_BACKEND",
        "ledger": "LEDGER_URL",
    }
    servers = {name: start_server(name) for name in names}

    def told(user):
        return SIMULATED | {
            names[name]: acl.logged_in(server.url(), user) for name, server in servers.items()
        }

    producer.configure(
        **{f"{name}_url": told("producer")[variable] for name, variable in names.items()}
    )
    complete, as_producer, as_operator = producer.complete, told("producer"), told("operator")
    start_worker(told("worker"))
    one, other = complete.s(ask("a"), "u1"), complete.si(ask("b"), "u1")
    for canvas in (one | other, chord([one, one], other)):
        assert canvas.apply_async().get(timeout=30)["finish_reason"] == "stop"
    assert asyncio.run(waited(complete.delay(ask("q"), "u2"))).finish_reason == "stop"
    assert complete.apply_async((ask("later"), "u1"), countdown=30).cancel() == "cancelled"
    keyed = {"deadline_s": 60, "idempotency_key": "once", "tags": ["faq"], "temperature": 0}
    assert complete.apply_async((ask("d"), "u1"), keyed).value(30).finish_reason == "stop"
    assert [
        job.value(30).finish_reason
        for job in complete.many([ask("m"), ask("n")], "u1", lane="batch")
    ] == ["stop"] * 2
    with pytest.raises(errors.JobError):
        complete.delay(FAILS, "u5").value(30)
    (tmp_path / "document.md").write_text("# Tides\n" + "High water was late again. " * 10_000)
    command("summarize", str(tmp_path / "document.md"), "--user", "u1", "--yes", **as_producer)
    for line in (
        "dead replay --all",
        "dead quarantine",
        "usage --by user",
        "cache bust --all",
        "drill",
        "check",
        "erase u5 --reason asked --yes",
    ):
        command(*line.split(), **as_operator)
    batch = producer.Batch.submit([{"messages": ask("q")}, {"messages": FAILS}], "u1", "batch-1")
    until(lambda: batch.progress().over)
    assert batch.retry_failed() == 1
    until(lambda: batch.progress().over)
    command("batch", "retry-failed", "batch-1", **as_operator)
    until(lambda: batch.progress().over)
    assert set().union(*map(denied, servers.values())) <= UNASKED


async def waited(job):
    return await job


EVERYBODY = [
    "KEYS *",
    "RANDOMKEY",
    "CONFIG GET save",
    "CONFIG SET save x",
    "FLUSHALL",
    "FLUSHDB",
    "SHUTDOWN",
    "MONITOR",
    "EVAL return 0",
    "ACL LIST",
    "CLIENT LIST",
    "SAVE",
    "REPLICAOF NO ONE",
    "DUMP cc:{0}:x",
    "GET foreign",
    "SUBSCRIBE foreign",
]
ONLY = {
    "worker": ["SCAN 0"],
    "producer": [
        "EVAL return 0",
        "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
        "SCRIPT LOAD x",
        "FUNCTION LIST",
        "FUNCTION DELETE x",
        "FUNCTION FLUSH",
        "GET cc:{0}:q:x",
        "GET cc:{0}:doc:x",
        "APPEND cc:{0}:j:x y",
        "HSETEX cc:{0}:j:x EX 9 FIELDS 1 a b",
        "HINCRBYFLOAT cc:{0}:j:x cost 1",
        "ZINCRBY cc:{0}:open 1 x",
        "RENAME cc:{0}:j:x cc:{0}:j:y",
        "HSET cc:{0}:d:x user y",
        "SET cc:{0}:q: x GET",
        "HGETALL cc:{0}:d:x",
        "HSET cc:{0}:lim:user:x usd 1",
        "SCAN 0",
        "RPOP completions.interactive",
        "LRANGE completions.interactive 0 -1",
        "HGETALL cc.unacked",
        "PUBLISH /0.cc.celery.pidbox x",
        "SUBSCRIBE /0.cc.celery.pidbox",
    ],
    "flower": [
        "SCAN 0",
        "GET cc:{0}:q:x",
        "GET cc:{0}:doc:x",
        "GET cc:{0}:o:x",
        "HGETALL cc:{0}:j:x",
        "GET celery-task-meta-x",
        "LPUSH completions.interactive x",
        "RPOP completions.interactive",
        "HGETALL cc.unacked",
        "ZCARD cc.unacked_index",
    ],
    "audit_writer": [
        "LRANGE cc:{0}:audit:x 0 -1",
        "DEL cc:{0}:audit:x",
        "XADD cc:{0}:audit-accesses * a b",
        "SCAN 0",
    ],
    "audit_reader": [
        "RPUSH cc:{0}:audit:x y",
        "XTRIM cc:{0}:audit-accesses MAXLEN 0",
        "GET cc:{0}:o:x",
    ],
    "operator": [
        "GET celery-task-meta-x",
        "RPOP completions.interactive",
        "HGETALL cc.unacked",
        "PUBLISH /0.cc.celery.pidbox x",
    ],
}


@pytest.mark.parametrize("user", ONLY)
def test_what_is_forbidden_is_refused(server, user):
    with Redis.from_url(acl.logged_in(server.url(), user)) as redis:
        redis.ping()
        for command in [*EVERYBODY, *ONLY[user]]:
            with pytest.raises(NoPermissionError):
                print(command, redis.execute_command(*command.split()))


def test_nobody_can_log_in_before_the_passwords_are_filled_in(server, tmp_path):
    assert acl.USERS == [
        "worker",
        "producer",
        "flower",
        "operator",
        "replica",
        "sentinel",
        "audit_writer",
        "audit_reader",
    ]
    with Redis.from_url(server.url().replace("://", "://test:x@")) as redis:
        (tmp_path / "users.acl").write_text(acl.SHIPPED + LOOKER)
        redis.acl_load()
    for user in acl.USERS:
        for guess in (acl.password(user), user, ""):
            with (
                Redis(port=server.port, username=user, password=guess, retry=None) as redis,
                pytest.raises(AuthenticationError),
            ):
                redis.ping()
    with Redis(port=server.port, retry=None) as redis, pytest.raises(AuthenticationError):
        redis.ping()
