"""A verdict is one word, and a label what both answers say."""

import pytest
from support.running_jobs import running_job

from producer.contract.completions import Completion
from producer.contract.messages import ToolCall
from worker.semantic.errands import Done
from worker.semantic.judge import Judged, label


class Errands:
    """Says what it is told to, in turn."""

    def __init__(self, *said):
        self.said = list(said)
        self.asked = []

    def do(self, asker, request):
        self.asked.append(request)
        text = self.said.pop(0)
        return Done(None if text is None else Completion.fake(text), 5)


def judge(*said):
    return Judged(Errands(*said), "openai:small", running_job())


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("yes", "yes"),
        (" Yes. ", "yes"),
        ("NO", "no"),
        ("no, they differ", "none"),
        ("yes and no", "none"),
        ("", "none"),
        (None, "none"),
    ],
)
def test_only_one_word_is_a_verdict(said, verdict):
    asked = judge(said)
    assert asked.of_questions("a?", "b?") == verdict
    assert asked.micro_usd == 5
    (request,) = asked._errands.asked
    assert (request.semantic, request.cache, request.temperature) == (False, "bypass", 0)


def answers(one, two):
    return Completion.fake(one), Completion.fake(two)


@pytest.mark.parametrize(
    ("one", "two", "known"),
    [
        ("Paris.", " paris", "right"),
        ('{"a": 1, "b": [2]}', '{"b":[2],"a":1}', "right"),
        ('{"a": 1}', '{"a": 2}', "wrong"),
        ("Paris", "The city of Paris", "wrong"),
    ],
)
def test_without_a_judge_what_is_not_seen_to_be_right_is_wrong(one, two, known):
    assert label("q?", *answers(one, two), "none", None) == known


def test_calls_of_tools_are_compared_by_what_they_call():
    def calling(number, arguments):
        function = {"name": "f", "arguments": arguments}
        call = ToolCall(id=f"call_{number}", function=function)
        return Completion.fake("", tool_calls=(call,), finish_reason="tool_calls")

    one, same, other = calling(1, '{"x": 1}'), calling(2, '{"x": 1}'), calling(3, '{"x": 2}')
    assert label("q?", one, same, "none", None) == "right"
    assert label("q?", one, other, "none", None) == "wrong"
    assert label("q?", one, Completion.fake("text"), "none", None) == "wrong"


@pytest.mark.parametrize(
    ("verdict", "said", "known"),
    [
        ("none", ["yes"], "right"),
        ("none", ["no"], "wrong"),
        ("yes", ["yes"], "right"),
        ("yes", ["no", "no"], "wrong"),
        ("yes", ["no", "yes"], "right"),
        ("no", ["yes", "yes"], "right"),
        ("no", ["yes", "no"], "wrong"),
        ("yes", [None], "wrong"),
        ("yes", ["no", None], "right"),
    ],
)
def test_a_judge_who_contradicts_its_verdict_has_to_say_it_twice(verdict, said, known):
    asked = judge(*said)
    assert label("q?", *answers("one", "two"), verdict, asked) == known
    assert asked._errands.said == []
