"""What a host says to its own Celery says nothing to ours, and ours changes nothing of the host's.

`test_taken_names.py` has the project.
"""

import pytest
from support.taken_names import make_project, python

from producer.settings import SettingsError, load

HOSTS = {
    "THEIR_BROKER": "memory://theirs",
    "EAGER": "1",
    "CELERY_CONFIG_MODULE": "celeryconfig",
    "CELERY_LOADER": "default",
    "CELERY_BROKER_URL": "amqp://theirs:5672//",
    "CELERY_BROKER_READ_URL": "amqp://theirs:5672//",
    "CELERY_BROKER_WRITE_URL": "amqp://theirs:5672//",
    "CELERY_RESULT_BACKEND": "django-db",
    "CELERY_TASK_ALWAYS_EAGER": "1",
    "DJANGO_SETTINGS_MODULE": "their.settings",
    "REDIS_URL": "redis://127.0.0.1:1/5",
}
PINNED = {
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_always_eager": False,
    "task_default_queue": "celery",
}
CHECK = f"""
conf = ours.conf
assert {{name: conf[name] for name in {list(PINNED)!r}}} == {PINNED!r}, conf
for connect in (ours.connection_for_read, ours.connection_for_write, ours.connection):
    assert connect().as_uri().endswith("127.0.0.1:1/5"), connect().as_uri()
assert ours.backend.as_uri() == "redis://127.0.0.1:1/5"
assert (ours.backend.connparams["port"], ours.backend.connparams["db"]) == (1, 5)
print("ours")
"""
THEIRS = """
from celery import Celery, current_app
theirs = Celery("theirs", loader="app", fixups=[])
assert theirs.conf.task_default_queue == "theirs"
assert theirs.conf.task_serializer == "pickle"
assert current_app.main == "theirs", current_app.main
print("theirs")
"""


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path)


def test_of_a_producer(project):
    """Its app, with the host's made before and after it; that one stays the current one."""
    code = (
        f"{THEIRS}\nfrom celery_completions import complete\nours = complete.app\n{CHECK}{THEIRS}"
    )
    assert python(project, code, HOSTS).split() == ["theirs", "ours", "theirs"]


def test_of_a_worker(project):
    own = CHECK.replace("['json']", "['json', 'application/x-no-arguments']")
    assert own != CHECK
    code = f"from celery_completions.celery import app as ours\n{own}"
    assert python(project, code, HOSTS).split() == ["ours"]


def test_a_url_that_is_given_is_where_all_of_us_is(monkeypatch):
    """Whatever broker and result backend the host's own app has."""
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://theirs:6379/0")
    monkeypatch.setenv("CELERY_RESULT_BACKEND", "redis://theirs:6379/1")
    given = load(url="redis://ours/3")
    assert {given.broker, given.backend, given.ledger} == {"redis://ours/3"}
    assert load().broker == "redis://theirs:6379/0"


def test_a_broker_that_is_no_redis_is_the_hosts_if_ours_is_named(monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_URL", "amqps://theirs//")
    monkeypatch.setenv("CELERY_RESULT_BACKEND", "db+postgresql://theirs/results")
    with pytest.raises(SettingsError, match="CELERY_BROKER_URL"):
        load()
    monkeypatch.setenv("REDIS_URL", "redis://ours/3")
    assert {load().broker, load().backend} == {"redis://ours/3"}
    monkeypatch.setenv("CELERY_BROKER_URL", "redsi://misspelt/0")
    with pytest.raises(SettingsError, match="CELERY_BROKER_URL"):
        load()


def test_a_producer_reads_its_variables_when_it_is_first_used(project):
    """So whatever loads them after the import, a `.env` or a framework, is not too late."""
    code = """
import os
from celery_completions import complete
os.environ["REDIS_URL"] = "redis://127.0.0.1:1/7"
assert complete.app.conf.broker_url.endswith(":1/7"), complete.app.conf.broker_url
assert complete.app.backend.connparams["db"] == 7
assert complete.app.tasks[complete.name] is complete
print("late")
"""
    assert python(project, code, {"REDIS_URL": "redis://127.0.0.1:1/5"}).split() == ["late"]
