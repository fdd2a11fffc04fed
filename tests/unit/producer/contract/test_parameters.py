"""OpenAI's parameters on a request: what is accepted, what is told of wrong ones."""

import pytest

from producer.contract.errors import InvalidRequest
from producer.contract.parameters import Parameters
from producer.contract.requests import CompletionRequest

ASK = [{"role": "user", "content": "x"}]
TOOL = {"type": "function", "function": {"name": "f"}}


def asked(**fields):
    return CompletionRequest.checked(messages=ASK, **fields)


PLAIN = asked()


@pytest.mark.parametrize(
    "body",
    [
        {"stream": False},
        {"stream_options": {"include_usage": True}},
        {"modalities": ["text"]},
        {"seed": None, "tools": None, "stop": None, "metadata": None, "max_tokens": None},
        {"stream": None, "modalities": None, "max_completion_tokens": None, "user": None},
    ],
)
def test_what_changes_nothing_is_accepted(body):
    """As bodies have it: also nulls of what was not said."""
    assert asked(**body) == PLAIN
    assert CompletionRequest.model_validate({"messages": ASK} | body) == PLAIN


def test_the_new_name_of_the_limit_means_the_old_one():
    assert asked(max_completion_tokens=5) == asked(max_tokens=5)
    assert asked(max_completion_tokens=5, max_tokens=5) == asked(max_tokens=5)


METADATA = "provider_options.anthropic.metadata"
JSON = {"type": "json_object"}
DEEP: dict = {}
for _ in range(40):
    DEEP = {"x": DEEP}


def options(provider, **given):
    return {"provider_options": {provider: given}}


WRONG = [
    ({"stream": True}, "stream", "come as a whole"),
    ({"stream": "no"}, "stream", "come as a whole"),
    ({"stream_options": 7}, "stream_options", "object"),
    ({"modalities": ["text", "audio"]}, "modalities", "only text"),
    ({"max_completion_tokens": 5, "max_tokens": 6}, "max_completion_tokens", "differs"),
    ({"max_completion_tokens": 0}, "max_tokens", "at least 1"),
    ({"store": True}, "store", "nothing is stored"),
    ({"tool_choice": "required"}, "tool_choice", "without tools"),
    ({"tool_choice": TOOL}, "tool_choice.function.name", "none of the tools"),
    ({"tool_choice": "any", "tools": [TOOL]}, "tool_choice", "required"),
    ({"top_logprobs": 3}, "top_logprobs", "logprobs=True"),
    ({"top_logprobs": 3, "logprobs": False}, "top_logprobs", "logprobs=True"),
    ({"top_logprobs": 21, "logprobs": True}, "top_logprobs", "20"),
    ({"n": 0}, "n", "at least 1"),
    ({"n": 129}, "n", "128"),
    ({"n": True}, "n", "whole number"),
    ({"top_p": 1.1}, "top_p", "1"),
    ({"top_k": 0}, "top_k", "at least 1"),
    ({"seed": 2**63}, "seed", "less"),
    ({"presence_penalty": 3}, "presence_penalty", "2"),
    ({"logit_bias": {"x": 1}}, "logit_bias", "must match"),
    ({"logit_bias": {"5": 101}}, "logit_bias", "100"),
    ({"reasoning_effort": "huge"}, "reasoning_effort", "minimal"),
    ({"verbosity": "max"}, "verbosity", "medium"),
    ({"service_tier": "gold"}, "service_tier", "flex"),
    ({"user": "a\nb"}, "user", "must match"),
    ({"user": "x" * 129}, "user", "128"),
    ({"prompt_cache_key": ""}, "prompt_cache_key", "empty"),
    ({"prediction": {"type": "content", "content": "a\x00"}}, "prediction.content", "control"),
    ({"web_search_options": {"search_context_size": "all"}}, "web_search_options", "low"),
    ({"drop_unsupported": "maybe"}, "drop_unsupported", "True or False"),
    ({"stop": ["x"] * 65}, "stop", "64"),
    (options("openai", model="m"), "provider_options.openai.model", "model instead"),
    (options("openai", stream=True), "provider_options.openai.stream", "by the worker"),
    (options("openai", seed=1), "provider_options.openai.seed", "seed instead"),
    (options("xai", messages=[]), "provider_options.xai.messages", "messages instead"),
    (options("anthropic", system="x"), "provider_options.anthropic.system", "messages"),
    (options("anthropic", max_tokens=1), "provider_options.anthropic.max_tokens", "max_tokens"),
    (
        options("anthropic", thinking={"type": "adaptive"}) | {"reasoning_effort": "low"},
        "provider_options.anthropic.thinking",
        "contradicts reasoning_effort",
    ),
    (
        options("anthropic", output_config={"format": {}}) | {"response_format": JSON},
        "provider_options.anthropic.output_config.format",
        "contradicts response_format",
    ),
    (options("anthropic", metadata={}) | {"safety_identifier": "u"}, METADATA, "contradicts user"),
    (options("gemini", candidateCount=2), "provider_options.gemini.candidateCount", "n instead"),
    (options("gemini", httpOptions={}), "provider_options.gemini.httpOptions", "by the worker"),
    (
        options("gemini", toolConfig={"functionCallingConfig": {}})
        | {"tool_choice": "auto", "tools": [TOOL]},
        "provider_options.gemini.tool_config.function_calling_config",
        "contradicts tool_choice",
    ),
    (options("gemini", labels={"a": "\x00"}), "provider_options.gemini", "control character"),
    (options("gemini", labels=float("nan")), "provider_options.gemini", "cannot say"),
    (options("gemini", labels=DEEP), "provider_options.gemini", "nested deeper"),
    ({"provider_options": {"a b": {}}}, "provider_options", "must match"),
    ({"provider_options": {"openai": 7}}, "provider_options.openai", "an object"),
]


@pytest.mark.parametrize(("fields", "place", "reason"), WRONG)
def test_a_wrong_value_is_told_with_its_place(fields, place, reason):
    with pytest.raises(InvalidRequest) as caught:
        asked(**fields)
    assert caught.value.details["fields"][0].startswith(place)
    assert reason in caught.value.message
    assert caught.value.message.startswith(place)


VALUES = {
    "tool_choice": "none",
    "parallel_tool_calls": False,
    "reasoning_effort": "none",
    "verbosity": "low",
    "top_p": 0,
    "top_k": 1,
    "seed": 0,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logit_bias": {},
    "logprobs": False,
    "n": 1,
    "service_tier": "auto",
    "user": "u",
    "safety_identifier": "u",
    "prompt_cache_key": "k",
    "store": False,
    "prediction": {"type": "content", "content": "x"},
    "web_search_options": {},
    "provider_options": {"openai": {"moderation": {"model": "m"}}},
    "drop_unsupported": True,
}
ABOUT_THE_CALL = (
    "service_tier",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "store",
    "prediction",
)


@pytest.mark.parametrize("name", Parameters.model_fields)
def test_each_is_kept_and_shapes_the_answer_or_not(name):
    """Also a value that is false. Workers of before must not read such a job as if it said nothing
    of it.
    """
    fields = {name: VALUES.get(name, 3)}
    if name == "top_logprobs":
        fields["logprobs"] = True
    request = asked(**fields)
    assert CompletionRequest.model_validate_json(request.to_json()) == request
    assert request.wire == 3
    assert name in request.said
    shapes = request.fingerprint() != PLAIN.fingerprint()
    assert shapes == (name not in ABOUT_THE_CALL)


def test_requests_without_them_are_as_they_were():
    """Their cached answers are found, and workers of before may answer."""
    assert PLAIN.fingerprint() == "de35879efa4eaa7f1cc5d22fb3a91e3c5ee5f294e60142b8eb7d2c1a6981518b"
    assert (PLAIN.wire, asked(stop=["a"] * 4).wire, asked(stop=["a"] * 5).wire) == (1, 1, 3)
    assert asked(defaults="provider").wire == 2
