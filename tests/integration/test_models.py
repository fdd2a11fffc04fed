"""What is known of models at work in a real worker: parameters, windows, aliases, prompt caching;
and when it is wrong.
"""

import json

import pytest
from support.ledger import LedgerProbe, ask

from producer import summarize
from producer.contract.errors import Filtered, InvalidRequest, TooLong, Truncated

WORDS = "word " * 130_000


@pytest.fixture
def vendors(wire, openai_env):
    """OpenAI and Anthropic at `wire`."""
    return openai_env | {
        "LLM_CHAIN": "openai:gpt-4o-mini,anthropic:claude-haiku-4-5",
        "ANTHROPIC_API_KEY": "k",
        "ANTHROPIC_BASE_URL": wire.base_url.removesuffix("/v1"),
        "LLM_MAX_COST_PER_REQUEST": "10",
        "LLM_USER_TOKENS_PER_HOUR": "100000000",
    }


def picky(request, number):
    """A model that takes no temperature, which the catalog does not know."""
    return "refused;param=temperature" if "temperature" in request else "ok"


def test_a_parameter_that_is_refused_is_left_out_with_an_alert(
    complete, wire, openai_env, start_worker
):
    """Once per process: the first job pays one refused call, which costs nothing; the next ones
    none. The links stay well.
    """
    wire.script = picky
    worker = start_worker(openai_env)
    first = complete.delay(ask("x"), "u1").value(30)
    second = complete.delay(ask("y"), "u1").value(30)
    assert (first.attempts, second.attempts) == (2, 1)
    assert ["temperature" in call.request for call in wire.calls] == [True, False, False]
    alerts = [json.loads(line) for line in worker.log().splitlines() if "STALE_MODEL_DATA" in line]
    assert [(each["link"], each["parameter"]) for each in alerts] == [
        ("openai:gpt-4o-mini", "temperature")
    ]


def test_a_prompt_too_long_for_one_link_goes_to_another_or_to_none(
    complete, wire, vendors, start_worker, redis_url
):
    """Known before the call, so no attempt is spent and nothing is held."""
    start_worker(vendors)
    completion = complete.delay(ask(WORDS), "u1", max_tokens=10).value(30)
    assert (completion.provider, completion.attempts, len(wire.calls)) == ("anthropic", 1, 1)
    with pytest.raises(TooLong) as caught:
        complete.delay(
            ask(WORDS + WORDS[: 5 * 65_000]), "u1", model="openai:gpt-4o-mini", max_tokens=10
        ).value(30)
    assert caught.value.details["limit"] == 128_000 - 10
    assert caught.value.details["tokens"] > 190_000
    with LedgerProbe(redis_url) as ledger:
        assert (len(wire.calls), ledger.budget("usd", "fleet", "all")["held"]) == (1, 0)


def test_slide_sends_what_fits_and_says_what_it_left_out(complete, wire, openai_env, start_worker):
    start_worker(
        openai_env | {"LLM_MAX_COST_PER_REQUEST": "10", "LLM_USER_TOKENS_PER_HOUR": "100000000"}
    )
    turns = [
        {"role": role, "content": "word " * 30_000} for role in ("user", "assistant") * 2
    ] + ask("So?")
    completion = complete.delay(
        [{"role": "system", "content": "Be brief."}, *turns], "u1", max_tokens=10, fit="slide"
    ).value(30)
    assert completion.trimmed == 1
    assert [turn["role"] for turn in wire.calls[0].request["messages"]] == [
        "system",
        "assistant",
        "user",
        "assistant",
        "user",
    ]


def test_batch_jobs_take_the_fast_models_if_asked_and_share_a_cached_beginning(
    complete, wire, vendors, start_worker
):
    """From the second job on the beginning is marked; interactive jobs take the chain as it is."""
    chain = {"LLM_CHAIN": "anthropic:claude-haiku-4-5", "LLM_BATCH_MODEL": "fast"}
    start_worker(vendors | chain, concurrency=1)
    system = {"role": "system", "content": "Summarise in one sentence."}
    for text in ("a", "b"):
        complete.delay([system, *ask(text)], "u1", lane="batch").value(30)
    complete.delay([system, *ask("c")], "u1").value(30)
    assert [call.model for call in wire.calls] == [
        "claude-haiku-5-5",
        "claude-haiku-5-5",
        "claude-haiku-4-5",
    ]
    assert ["cache_control" in str(call.request) for call in wire.calls] == [False, True, False]


def test_reasoning_that_ate_the_limit_is_reported_and_not_repeated_with_the_same(
    complete, wire, openai_env, start_worker
):
    """A model at its own largest output has nothing to grow into."""
    wire.reply = {
        "text": "",
        "finish": "length",
        "usage": {"in": 10, "out": 16_384, "reasoning": 16_384},
    }
    start_worker(openai_env)
    with pytest.raises(
        Truncated, match=r"all of it went into reasoning \(16,384 tokens\)"
    ) as caught:
        complete.delay(ask("x"), "u1", max_tokens=16_384, on_truncation="retry").value(30)
    assert (
        caught.value.partial_text,
        caught.value.details["reasoning_tokens"],
        len(wire.calls),
    ) == ("", 16_384, 1)
    with pytest.raises(Truncated):
        complete.delay(ask("y"), "u1", max_tokens=100, on_truncation="retry").value(30)
    assert [call.request["max_completion_tokens"] for call in wire.calls] == [16_384, 100, 200]


def test_an_answer_that_is_not_as_expected_is_asked_for_once_more(
    complete, wire, vendors, start_worker, redis_url
):
    """On the next link; then it is withheld. Both calls were paid; neither answer is shown."""
    worker = start_worker(vendors | {"LLM_OUTPUT_FILTERS": "pattern=retry"})
    with pytest.raises(Filtered, match="pattern: does not match") as caught:
        complete.delay(ask("A number?"), "u1", expect=r"^\d+$").value(30)
    assert [call.model for call in wire.calls] == ["gpt-4o-mini", "claude-haiku-4-5"]
    assert "wired answer" not in str(caught.value) + repr(caught.value.details) + worker.log()
    with LedgerProbe(redis_url) as ledger:
        assert ledger.budget("usd", "fleet", "all")["spent"] > 0
    assert complete.delay(ask("Words?"), "u1", expect="wired").value(30).flags == ()


def test_a_server_of_ones_own_is_asked_for_its_own_model_only(
    complete, wire, openai_env, start_worker
):
    """By questions, batch jobs and documents; the start says that it has no price."""
    worker = start_worker(
        openai_env | {"LLM_CHAIN": "openai:my-llama", "LLM_MAX_COST_PER_REQUEST": "10"}
    )
    assert "NO_PRICE: no price known for openai:my-llama" in worker.log()
    jobs = [
        complete.delay(ask("x"), "u1"),
        complete.delay(ask("y"), "u1", lane="batch"),
        complete.delay(ask("z"), "u1", model="fast"),
        summarize.delay("A short text.", "u1"),
        summarize.delay("Another short text.", "u1", lane="batch"),
    ]
    assert {job.value(30).cost_basis for job in jobs} == {"estimated"}
    assert {call.model for call in wire.calls} == {"my-llama"}


def test_a_model_about_to_end_is_warned_about_at_startup(openai_env, start_worker):
    """gpt-4o-mini ends on 2027-01-14."""
    assert "MODEL_ENDS: openai:gpt-4o-mini" in start_worker(openai_env).log()


def test_a_model_that_chat_does_not_serve_answers_over_responses(
    complete, wire, openai_env, start_worker, redis_url
):
    """By the catalog, in a stream or whole, at the model's own price."""
    wire.script = lambda request, number: "ok;in=1000;out=80;reasoning=50"
    env = {"LLM_CHAIN": "openai:o3-pro", "LLM_MAX_COST_PER_REQUEST": "10"}
    start_worker(openai_env | env)
    long = complete.delay(ask("x"), "u1", max_tokens=3_000).value(30)
    short = complete.delay(ask("x"), "u1", max_tokens=100).value(30)
    assert [call.request["stream"] for call in wire.calls] == [True, False]
    assert [call.request["max_output_tokens"] for call in wire.calls] == [3_000, 100]
    assert all(call.request["input"] and not call.request["store"] for call in wire.calls)
    for answer in (long, short):
        assert (answer.text, answer.provider) == ("A wired answer, always the same.", "openai")
        assert (answer.usage.input, answer.usage.output, answer.usage.reasoning) == (1000, 80, 50)
        assert round(answer.cost_usd * 1e6) == 20 * 1000 + 80 * 80
    with pytest.raises(InvalidRequest, match="openai:o3-pro cannot take 1 stop"):
        complete.delay(ask("x"), "u1", stop="END").value(30)
