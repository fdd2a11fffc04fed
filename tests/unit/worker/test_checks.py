"""What a request wants of its answer is checked within limits, in a process that may die."""

import json
import os
import socket
import threading
import time

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ledger import until

from producer.children import NoReply, _Child
from producer.contract.requests import CompletionRequest
from worker.output_filters import KNOWN, NOT_CHECKED, OutputFilters, child, load
from worker.output_filters.checker import Checker, NotChecked, Whose, checker
from worker.settings import FilterSettings


def asked(**options):
    return CompletionRequest.checked(messages=[{"role": "user", "content": "hi"}], **options)


def wanting(schema):
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    return asked(response_format=wanted)


def doubling_by_level(levels):
    """Each level of the answer is looked at four times as often as the one above."""
    definitions = {f"d{levels}": {"type": "string"}}
    for level in range(levels):
        each = {"items": {"$ref": f"#/$defs/d{level + 1}"}}
        definitions[f"d{level}"] = {"anyOf": [each, each, each, each]}
    return {"$defs": definitions, "$ref": "#/$defs/d0"}


@pytest.fixture
def own_checker():
    checker = Checker()
    yield checker
    checker.close()


def alive(checker):
    return [each.process.pid for each in checker._children.idle]


def test_one_child_checks_many_answers(own_checker):
    for _ in range(20):
        assert own_checker.check(b"S", "", "{}") == ""
    assert len(alive(own_checker)) == 1


def test_a_check_without_end_ends_its_child_and_nothing_else(own_checker):
    """The next check gets a new one."""
    own_checker.check(b"S", "", "1")
    (first,) = alive(own_checker)
    schema = json.dumps(doubling_by_level(20))
    with pytest.raises(NotChecked):
        own_checker.check(b"S", schema, "[" * 20 + "7" + "]" * 20)
    assert not psutil.pid_exists(first)
    assert own_checker.check(b"S", "", "[") == "is no JSON"


@pytest.mark.parametrize(
    ("levels", "answer"),
    [(16, "[" * 16 + "7" + "]" * 16), (40, "[" * 40 + "7" + "]" * 40)],
)
def test_a_schema_that_multiplies_with_its_answer_is_not_waited_for(levels, answer):
    request = wanting(doubling_by_level(levels))
    found = OutputFilters(FilterSettings(output={"schema": "flag"})).check(request, answer)
    assert found.flags == (f"schema: {NOT_CHECKED}",)


def test_memory_is_bounded(own_checker):
    """A child that takes too much ends; this process grows by nothing."""
    with pytest.raises(NotChecked):
        own_checker.check(b"S", "", "[" + "[]," * 20_000_000 + "1]")
    assert own_checker.check(b"S", "", "1") == ""


@pytest.mark.parametrize("text", ["[" * 1_000, "[" * 1_000_000, '{"a":' * 100_000, "9" * 100_000])
def test_deep_and_long_answers_are_bounded_errors_in_json_mode(text):
    found = load("schema")(asked(response_format={"type": "json_object"}), text)
    assert found in ("is no JSON", "is nested too deeply to be checked")


def test_a_deep_answer_is_a_bounded_error_beside_a_schema():
    deep = "[" * 900 + "]" * 900
    schema = {"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}
    filters = OutputFilters(FilterSettings(output={"schema": "fail"}))
    assert filters.check(wanting(schema), deep).action in ("", "fail")


def test_an_expected_pattern_has_its_limit_too():
    """Linear in the answer, but a hundred thousand steps for each character."""
    request = asked(expect="(.{100}){100}x")
    filters = OutputFilters(FilterSettings(output={"pattern": "retry"}))
    found = filters.check(request, "é0" * 1_000_000)
    assert (found.action, found.reason) == ("fail", NOT_CHECKED)


@pytest.mark.parametrize(
    "text",
    [
        "eyJ" + "a" * 2_000_000,
        "-eyJ" * 500_000,
        "eyJaaaaaaaaaaaa." * 100_000,
        "-----BEGIN " + "A " * 1_000_000,
        "-----BEGIN " * 200_000,
        "sk-" * 500_000,
        "xoxb-" * 400_000,
        "ghp_" + "a" * 35 + "-ghp_" * 300_000,
    ],
)
def test_credentials_are_searched_in_linear_time(text):
    began = time.process_time()
    load("secrets")(asked(), text)
    assert time.process_time() - began < 1


@settings(max_examples=50)
@given(st.text(alphabet="eyJ.-_aA0skghp AIza", max_size=2_000))
def test_no_text_is_an_error_of_the_search(text):
    load("secrets")(asked(), text)


def test_no_reference_is_fetched(tmp_path):
    """Not even one of a stored request, which was not checked when it was made."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        file = tmp_path / "schema.json"
        file.write_text('{"type": "string"}')
        port = server.getsockname()[1]
        for target in (f"http://127.0.0.1:{port}/x", f"file://{file}"):
            assert checker.check(b"S", f'{{"$ref": "{target}"}}', "7") == ""
            stored = wanting({}).model_dump()
            stored["response_format"]["json_schema"] = {"name": "x", "schema": {"$ref": target}}
            assert load("schema")(CompletionRequest.model_validate(stored), "7") == NOT_CHECKED
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_child_gets_no_keys(monkeypatch, own_checker):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    own_checker.check(b"S", "", "1")
    (pid,) = alive(own_checker)
    environment = psutil.Process(pid).environ()
    assert set(environment) <= {"PYTHONPATH", "LC_CTYPE"}


def test_a_child_gives_way_to_its_owner(own_checker):
    own_checker.check(b"S", "", "1")
    (pid,) = alive(own_checker)
    assert psutil.Process(pid).nice() >= psutil.Process().nice() + 5


def test_a_child_ends_with_its_owner(own_checker):
    own_checker.check(b"S", "", "1")
    (pid,) = alive(own_checker)
    own_checker._children.idle[0].socket.close()
    assert psutil.wait_procs([psutil.Process(pid)], timeout=5)[1] == [] or not psutil.pid_exists(
        pid
    )


def test_a_child_that_was_killed_is_replaced(own_checker):
    own_checker.check(b"S", "", "1")
    (pid,) = alive(own_checker)
    os.kill(pid, 9)
    with pytest.raises(NotChecked):
        own_checker.check(b"S", "", "1")
    assert own_checker.check(b"S", "", "1") == ""


def test_the_job_s_own_time_is_a_limit(own_checker):
    with pytest.raises(NotChecked):
        own_checker.check(b"S", "", "1", Whose(within_s=0.0))


def test_what_a_child_says_is_bounded():
    schema = {"properties": {"x" * 100_000: {"type": "string"}}}
    found = load("schema")(wanting(schema), '{"%s": 1}' % ("x" * 100_000))
    assert found.startswith("breaks its schema")
    assert len(found) <= child.LIMITS.reply_bytes


def exploding(request, text):
    raise [OSError, RecursionError, MemoryError, KeyError][len(text) % 4](text)


def nonsense(request, text):
    return 7


@pytest.mark.parametrize("name", ["exploding", "nonsense"])
@pytest.mark.parametrize("action", ["flag", "retry", "fail"])
@pytest.mark.parametrize("text", ["", "a", "ab", "abc"])
def test_a_filter_that_fails_asks_for_no_second_answer(monkeypatch, name, action, text):
    """And what went wrong in it is not repeated."""
    monkeypatch.setitem(KNOWN, name, globals()[name])
    found = OutputFilters(FilterSettings(output={name: action})).check(asked(), text)
    reason = "could not be checked: the filter failed"
    if action == "flag":
        assert found == ((f"{name}: {reason}",), "", "", "")
    else:
        assert found == ((), "fail", name, reason)


def test_one_user_s_slow_checks_hold_no_other_user_s(own_checker):
    """Neither their number nor their time: the others are checked while they run."""
    schema = json.dumps(doubling_by_level(20))
    answer = "[" * 20 + "7" + "]" * 20
    outcomes = []

    def hostile():
        try:
            own_checker.check(b"S", schema, answer, Whose(user="hostile"))
        except NotChecked:
            outcomes.append("not checked")

    threads = [threading.Thread(target=hostile) for _ in range(4)]
    for thread in threads:
        thread.start()
    checked = 0
    while any(thread.is_alive() for thread in threads):
        assert own_checker.check(b"S", "", "[1]", Whose(user=f"u{checked % 3}")) == ""
        assert own_checker._running["hostile"] <= 1
        checked += 1
    assert outcomes == ["not checked"] * 4
    assert checked > 4


class Stuck:
    """Three checks of one user that are not answered: one runs, two wait for their turn."""

    JOBS = ("a", "b", "c")

    def __init__(self, checker):
        self.ended = []
        self._checker = checker
        checker._children.ask = self._wait
        self.threads = {job: threading.Thread(target=self._check, args=(job,)) for job in self.JOBS}
        for thread in self.threads.values():
            thread.start()
        until(lambda: len(checker._open) == len(self.JOBS))

    def _check(self, job):
        with pytest.raises(NotChecked):
            self._checker.check(b"S", "", "1", Whose(60, "u", job))
        self.ended.append(job)

    def _wait(self, kind, first, second, limit):
        """As a child that has stopped."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            stopped = _Child.__new__(_Child)
            stopped.socket = ours
            try:
                stopped._received(1, limit)
            except OSError:
                raise NoReply from None


def test_a_cancelled_job_s_check_ends_and_no_other(own_checker):
    own_checker._most_s = 600.0
    stuck = Stuck(own_checker)
    for job in ("c", "a", "b"):
        own_checker.cancel("another")
        own_checker.cancel(job)
        stuck.threads[job].join(30)
        assert stuck.ended[-1] == job
    assert own_checker._open == []
    assert not own_checker._running


def test_a_stop_ends_all_checks_in_a_moment_also_those_to_come(own_checker):
    own_checker._most_s = 600.0
    stuck = Stuck(own_checker)
    own_checker.hurry()
    for thread in stuck.threads.values():
        thread.join(30)
    assert sorted(stuck.ended) == list(Stuck.JOBS)
    stuck._check("later")
    assert stuck.ended[-1] == "later"
