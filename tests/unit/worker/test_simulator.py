"""The keyless provider: the same every time, and as broken as its script says."""

import asyncio
import time

import pytest

from producer.contract.requests import CompletionRequest
from worker.faults import Fault, ProviderError
from worker.providers.base import Call
from worker.providers.simulator import Simulator


def ask(simulator, text, model="sim", max_tokens=100):
    request = CompletionRequest.checked(messages=[{"role": "user", "content": text}])
    return asyncio.run(simulator.complete(Call("job", model, request, max_tokens, 0.0, 5.0)))


@pytest.fixture
def simulator():
    return Simulator(None, None, {"latency_ms": "0"})


def test_equal_prompts_get_equal_answers(simulator):
    first, second, other = (
        ask(simulator, "What is a lease?"),
        ask(simulator, "What is a lease?"),
        ask(simulator, "What is a fence?"),
    )
    assert first == second
    assert other.text != first.text
    assert (first.finish, first.model) == ("stop", "sim")
    assert min(first.usage.input, first.usage.output) > 0


def test_a_marker_chooses_the_fault_of_one_model(simulator):
    """And is itself no part of the prompt."""
    marked = "[[sim:fault=rate_limited;retry_after=2;link=sim]] hello"
    with pytest.raises(ProviderError) as caught:
        ask(simulator, marked)
    assert (caught.value.fault, caught.value.retry_after_s, caught.value.maybe_billed) == (
        Fault.RATE_LIMITED,
        2.0,
        False,
    )
    assert "sim:" not in ask(simulator, marked, model="other").text


def test_scripted_faults_are_used_up():
    simulator = Simulator(None, None, {"latency_ms": "0", "faults": "overloaded,ok,timeout"})
    outcomes = []
    for _ in range(4):
        try:
            outcomes.append(ask(simulator, "hello").finish)
        except ProviderError as error:
            outcomes.append(str(error.fault))
    assert outcomes == ["overloaded", "stop", "timeout", "stop"]


def test_an_answer_longer_than_max_tokens_is_cut(simulator):
    reply = ask(simulator, "Tell me everything about brokers and ledgers, please", max_tokens=3)
    assert reply.finish == "length"
    assert reply.usage.output == 3
    assert ask(simulator, "[[sim:finish=length]] hello").finish == "length"


def test_a_document_of_one_paragraph_has_a_summary(simulator):
    document = "A broker keeps messages until they are read. " * 20
    reply = ask(simulator, f"Summarise the document.\n{document}")
    assert reply.text.strip()


def test_a_document_is_summarised_by_its_own_sentences(simulator):
    body = "\n\n".join(f"Paragraph number {n} says one thing. It says another." for n in range(20))
    points = ask(simulator, f"Summarise this.\n\n{body}").text.splitlines()
    assert points == [f"- Paragraph number {n} says one thing." for n in (0, 6, 12)]


@pytest.mark.parametrize("text", ["[[sim:" * 150_000, "x" * 900_000, "[" * 900_000])
def test_no_prompt_takes_more_than_linear_time(text):
    began = time.process_time()
    ask(Simulator(None, None, {"latency_ms": "0"}), f"Summarise:\n\n{text}")
    assert time.process_time() - began < 2
