"""`celery_completions`: both sides in a project that has our short names itself."""

import pytest
from support.taken_names import make_project, python

from producer import __all__ as exported
from producer.contract.errors import WIRE_MODULE, JobError
from worker import startup_checks
from worker.node import taken_names

SIDE_BY_SIDE = """
import sys
import celery_completions
from celery_completions import JobError, complete, errors
from celery_completions.worker import providers, tasks as ours
import celery_completions.worker.celery
import producer.events, worker.tasks

assert (producer.OWNER, worker.tasks.OWNER) == ("theirs", "theirs")
assert ours is not worker.tasks
assert issubclass(errors.Conflict, JobError)
assert ours.Complete.throws == (JobError,)
for name in providers.REGISTRY.values():
    assert name.startswith("celery_completions.worker.providers."), name
found = {name for name in sys.modules if name.partition(".")[0] in ("producer", "worker")}
assert found == {"producer", "producer.events", "worker", "worker.tasks"}, found
print(complete.name, celery_completions.worker.celery.app.main)
"""

PICKLED = """
import multiprocessing, pickle, sys
from celery_completions import CompletionRequest, errors

request = CompletionRequest(messages=[{"role": "user", "content": "q"}])
sent = pickle.dumps((request, errors.Unavailable("away")))

if __name__ == "__main__":
    import subprocess
    code = "import pickle, sys; print(*map(type, pickle.load(sys.stdin.buffer)))"
    done = subprocess.run([sys.executable, "-c", code], input=sent, capture_output=True)
    print(done.stdout.decode(), done.stderr.decode())
"""


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path)


def test_theirs_are_theirs_and_ours_are_ours(project):
    """In one process, at once, and whichever is imported first."""
    env = {"REDIS_URL": "redis://127.0.0.1:1/0"}
    for first in ("", "import worker, producer\n"):
        assert python(project, first + SIDE_BY_SIDE, env).split() == [
            "completions.complete",
            "completions",
        ]


def test_pickles_are_read_by_a_process_that_has_imported_nothing(project):
    told = python(project, PICKLED, {})
    assert "celery_completions.producer.contract.requests.CompletionRequest" in told
    assert "celery_completions.producer.contract.errors.Unavailable" in told


def test_a_child_process_has_our_packages_too(project):
    """It checks answers and reads files."""
    code = """
from celery_completions.worker.output_filters.checker import checker
print(checker.check(b"S", '{"type": "string"}', '"text"') or "right")
from celery_completions.producer.reading.files import readers
from celery_completions.producer.children import Until
print(readers.ask(b"F", b"a.txt", b"a text", Until(20))[-6:].decode())
checker.close()
readers.close()
"""
    assert python(project, code, {}).split("\n")[:2] == ["right", "a text"]


def test_the_package_has_what_the_producer_has(project):
    code = "import celery_completions as c; print(*[n for n in c.__all__ if getattr(c, n)])"
    assert python(project, code, {}).split() == exported


ASKED = """
import producer
from {ours} import complete
from celery_completions.producer.contract.errors import Refused

assert producer.{mark}


def test_an_answer(completions):
    completions.answers("an answer")
    job = complete.delay([{{"role": "user", "content": "hi"}}], "u1")
    assert job.value().text == job.get(timeout=1)["text"] == "an answer"
    completions.assert_asked("hi")
    eager = complete.s([{{"role": "user", "content": "hi"}}], user_id="u1").apply()
    assert eager.get()["text"] == "an answer"
"""


@pytest.mark.parametrize("ours", ["producer", "celery_completions"])
def test_an_app_is_tested_under_the_name_by_which_it_has_us(tmp_path, ours):
    """By the fixture that the package brings to pytest."""
    taken = ours != "producer"
    text = ASKED.format(ours=ours, mark="OWNER" if taken else "complete")
    if not taken:
        text = text.replace("celery_completions.producer", "producer")
    folder = make_project(tmp_path, **{"test_app.py": text}) if taken else tmp_path
    (folder / "test_app.py").write_text(text)
    line = ["-q", "-p", "celery_completions.pytest_plugin", "test_app.py"]
    told = python(folder, f"import pytest, sys; sys.exit(pytest.main({line!r}))", {})
    assert "1 passed" in told


def test_stored_errors_have_one_name_whatever_ours_is():
    assert JobError.__module__ == WIRE_MODULE


def test_a_short_name_that_is_taken_is_refused_with_the_file(tmp_path, monkeypatch):
    """Each of the three, as a package or a module; a folder without Python is none of them."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "worker").mkdir()
    taken_names.refuse_taken_names()
    (tmp_path / "worker/__init__.py").touch()
    (tmp_path / "producer.py").touch()
    (tmp_path / "celeryconfig.py").touch()
    with pytest.raises(SystemExit) as refused:
        taken_names.refuse_taken_names()
    for file in ("worker/__init__.py", "producer.py", "celeryconfig.py"):
        assert str(tmp_path / file) in refused.value.code
    assert "celery -A celery_completions worker" in refused.value.code


def test_another_producer_before_ours_is_told_with_its_file(tmp_path):
    """Else Celery says that there is no module `producer.contract`."""
    (tmp_path / "producer.py").touch()
    code = """
try:
    import worker.celery
except ImportError as error:
    print(error)
"""
    told = python(tmp_path, code, {})
    assert str(tmp_path / "producer.py") in told
    assert "-A celery_completions" in told


def test_a_copy_of_ours_is_no_other(tmp_path, monkeypatch):
    """An installed one beside a checkout."""
    for package in ("producer", "worker"):
        (tmp_path / package).symlink_to(
            startup_checks.__file__.rpartition("/worker/")[0] + "/" + package
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    taken_names.refuse_taken_names()
