"""A worker and commands in a project that has our three names itself."""

import pytest
from support.nodes import DEFAULT_ENV, WorkerProcess
from support.taken_names import make_project, python

ASK = """
import sys
import worker, producer
from celery_completions.cli import main
sys.argv = ["completions", *{arguments}]
try:
    main()
except SystemExit as ended:
    print("exit", ended.code)
assert worker.OWNER == producer.OWNER == "theirs"
"""
USE = """
from celery_completions import complete, errors
question = [{"role": "user", "content": "What is a lane?"}]
wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
flags = complete.delay(question, "ann", response_format=wanted).value(20).flags
assert flags and "could not be checked" not in str(flags), flags
assert "lane" in complete.delay(question, "ann").get(20)["text"]
try:
    complete.delay(question, "ann", max_tokens=500_000).get(20)
except errors.JobError as error:
    print(type(error).__name__)
"""


def worker_in(folder, app, env, *flags):
    process = WorkerProcess({**DEFAULT_ENV, **env}, "prefork", 2, "w", folder / "w.log", app)
    process.command += flags
    return process


@pytest.mark.faults
def test_worker_and_commands_work_beside_theirs(redis_url, tmp_path):
    """In children of a pool, too; an error of a job is its class on both sides."""
    folder = make_project(tmp_path)
    env = {"REDIS_URL": redis_url, "CELERY_CONFIG_MODULE": "celeryconfig", "THEIR_BROKER": "none"}
    worker = worker_in(folder, "celery_completions", env)
    try:
        worker.start()
        worker.wait_ready()
        assert python(folder, USE, env).split() == ["BudgetExceeded"]
        asked = ASK.format(arguments=["ask", "What is a fence?", "--user", "ann"])
        assert "fence" in python(folder, asked, env)
        checked = ASK.format(arguments=["check"])
        assert "exit 0" in python(folder, checked, env | DEFAULT_ENV)
    finally:
        worker.kill()
    assert "Traceback" not in worker.log()


@pytest.mark.faults
def test_under_the_short_name_it_says_which_file_it_met(redis_url, tmp_path):
    """One of a broker, too: not a job of theirs is taken."""
    (tmp_path / "celeryconfig.py").write_text("broker_url = 'amqp://theirs'\n")
    worker = worker_in(tmp_path, "worker", {"REDIS_URL": redis_url})
    try:
        worker.start()
        assert worker.wait(30) != 0
    finally:
        worker.kill()
    assert f"celeryconfig is also {tmp_path / 'celeryconfig.py'}" in worker.log()
    assert "celery -A celery_completions worker" in worker.log()
