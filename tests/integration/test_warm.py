"""What `support/warm.py` forks is as what is started: its parents have read no settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import warm

PLAIN = {"PATH": os.environ["PATH"], "PYTHONPATH": str(warm.ROOT), "LLM_CHAIN": "simulator:s"}


@pytest.mark.parametrize("line", ["status nope", "check --offline", "logs sum"])
def test_a_command_says_the_same(line, redis_url, tmp_path):
    env, text = PLAIN | {"REDIS_URL": redis_url}, '{"event": "other"}\n'
    command = [Path(sys.executable).with_name("completions"), *line.split()]
    started = subprocess.run(
        command, env=env, cwd=tmp_path, input=text, capture_output=True, text=True, timeout=60
    )
    forked = warm.run(line.split(), env, tmp_path, text)
    assert started.stdout + started.stderr
    for name in ("returncode", "stdout", "stderr"):
        assert getattr(forked, name) == getattr(started, name)


def test_it_is_a_child_of_ours_and_leads_a_group(redis_url, tmp_path):
    with open(os.devnull, "r+") as null:
        env = PLAIN | {"REDIS_URL": redis_url}
        line = ["completions", "http", "--port", "0"]
        process = warm.parent("completions").fork(line, env, tmp_path, [null] * 3)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    assert os.getpgid(process.pid) == process.pid
    os.killpg(process.pid, 9)
    assert process.wait(10) == -9


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONIOENCODING", "CELERY_CONFIG_MODULE", "TZ"])
def test_what_is_read_early_is_not_plain(name):
    assert warm.is_plain(PLAIN)
    assert not warm.is_plain(PLAIN | {name: "other"})
