"""Vectors over every adapter that makes them, over a real socket and the real SDKs."""

import base64
import json
import math
from array import array

import pytest
from contract.exchanges import COMMON, LEGACY
from support.protocol_embeddings import vector

from producer.contract.completions import Completion
from producer.contract.embeddings import Embeddings, request_fields
from producer.contract.requests import CompletionRequest
from worker.faults import Fault, ProviderError
from worker.providers import REGISTRY, Call, load
from worker.providers.base import Embedder

MODELS = {
    "openai": "text-embedding-3-small",
    "openai-responses": "text-embedding-3-small",
    "gemini": "gemini-embedding-001",
}
KEY = "sk-secret-key"
TEXTS = ["the secret prompt", "a second text", "ещё один"]
EVENTS = (
    "reset",  # the first, on a fresh connection: an idle one would be asked again
    "400",
    "context",
    "401",
    "404",
    "429;ra=2",
    "500",
    "504",
    "quota",
    "malformed",
    "emptybody",
)
ROWS = sorted(
    (row for row in COMMON if row.event in EVENTS), key=lambda row: EVENTS.index(row.event)
)
UNREADABLE = ([], ["x"], [None, 1.0], {"a": 1}, None, 7, [1e300], "!", "AAA=", [0.1, [0.2]])


@pytest.fixture(params=MODELS)
def adapter(request):
    return request.param


@pytest.fixture
def embed(wire, loop, adapter):
    """`embed(texts, dimensions)` asks the adapter for vectors."""
    path = "" if adapter == "gemini" else "/v1"
    url = wire.base_url.removesuffix("/v1") + path

    async def build():
        return load(adapter)(url, KEY, {})

    provider = loop.run(build, 60, "build")

    def embed_(texts=TEXTS, dimensions=None, timeout_s=10.0, **fields):
        request = CompletionRequest.checked(**request_fields(texts, dimensions))
        call = Call("job-1", MODELS[adapter], request, 0, None, timeout_s, **fields)
        return loop.run(lambda: provider.embed(call), timeout_s, "job-1")

    yield embed_
    loop.run(provider.aclose, 5, "close")


def rows_of(reply):
    """As a caller gets them."""
    data = base64.b64decode(reply.vectors.data)
    numbers = array("f", data)
    size = reply.vectors.dimensions
    return [numbers[start : start + size].tolist() for start in range(0, len(numbers), size)]


def failure(embed, *arguments, **options):
    with pytest.raises(ProviderError) as caught:
        embed(*arguments, **options)
    return caught.value


def test_each_text_has_its_vector_in_one_call(wire, embed, adapter):
    reply = embed()
    assert rows_of(reply) == [vector(text) for text in TEXTS]
    assert (reply.text, reply.finish, reply.model) == ("", "stop", MODELS[adapter])
    assert (reply.usage.input, reply.usage.output) == (sum(map(len, TEXTS)) // 4, 0)
    assert len(wire.calls) == 1
    assert wire.calls[0].job_id == "job-1"


def test_only_what_is_asked_goes_on_the_wire(wire, embed, adapter):
    """Goldens of the requests."""
    embed(["one"])
    embed(["one", "two"], 4)
    plain, smaller = (call.request for call in wire.calls)
    if adapter == "gemini":
        part = {"content": {"parts": [{"text": "one"}]}, "model": "models/gemini-embedding-001"}
        assert plain["requests"] == [part]
        assert [each["outputDimensionality"] for each in smaller["requests"]] == [4, 4]
        return
    assert plain == {
        "model": "text-embedding-3-small",
        "input": ["one"],
        "encoding_format": "base64",
    }
    assert smaller == plain | {"input": ["one", "two"], "dimensions": 4}


def test_what_only_one_provider_has_and_who_asks_go_along(wire, embed, adapter):
    """And an operator's headers; what an SDK does not know is told before the call."""
    own = {"task_type": "RETRIEVAL_QUERY"} if adapter == "gemini" else {"truncate": True}
    embed(["one"], options=own, identifier="abc", headers={"X-Org": "o"})
    seen = wire.calls[0]
    assert {name.lower(): text for name, text in seen.headers.items()}["x-org"] == "o"
    if adapter == "gemini":
        assert seen.request["requests"][0]["taskType"] == "RETRIEVAL_QUERY"
        assert failure(embed, ["one"], options={"tusk": 1}).fault is Fault.UNSUPPORTED
        assert len(wire.calls) == 1
    else:
        assert (seen.request["truncate"], seen.request["user"]) == (True, "abc")


def test_a_failure_means_what_it_means_elsewhere(wire, embed):
    """In one call, without the key or the texts in the error."""
    for row in ROWS:
        wire.script = lambda request, number, row=row: row.event
        error = failure(embed)
        assert (error.fault, error.maybe_billed, error.retry_after_s) == row[1:], row.event
        assert "secret" not in str(error) + repr(error.args)
    assert len(wire.calls) == len(ROWS)


def test_silence_ends_a_call(wire, embed):
    wire.script = lambda request, number: "hang"
    with pytest.raises(TimeoutError):
        embed(timeout_s=0.5)
    wire.wait_for(lambda calls: calls[0].ended)


def test_vectors_that_are_none_are_billed_at_what_is_stated(wire, embed):
    for event in ("few", "empty"):
        wire.script = lambda request, number, event=event: event
        error = failure(embed)
        assert (error.fault, error.maybe_billed) == (Fault.BAD_RESPONSE, True)
        assert error.usage.input > 0


def test_without_a_usage_none_is_told(wire, embed):
    wire.script = lambda request, number: "nousage"
    assert embed().usage is None


def body(adapter, *rows):
    if adapter == "gemini":
        return json.dumps({"embeddings": [{"values": row} for row in rows]})
    return json.dumps({"data": [{"embedding": row} for row in rows]})


def test_a_vector_that_cannot_be_read_is_no_answer(wire, embed, adapter):
    for stated in UNREADABLE:
        wire.body = body(adapter, [0.5], stated)
        assert failure(embed, ["a", "b"]).fault is Fault.BAD_RESPONSE, stated


def test_numbers_that_are_none_are_no_answer(wire, embed, adapter):
    wire.body = body(adapter, [0.5, math.nan])
    assert failure(embed, ["a"]).fault is Fault.BAD_RESPONSE


def test_vectors_of_several_sizes_are_no_answer(wire, embed, adapter):
    wire.body = body(adapter, [0.5], [0.5, 0.25])
    assert "several sizes" in failure(embed, ["a", "b"]).reason


def test_a_size_that_is_not_heeded_is_told(wire, embed, adapter):
    wire.body = body(adapter, [0.5, 0.25])
    error = failure(embed, ["a"], 1)
    assert (error.fault, error.parameter) == (Fault.UNSUPPORTED, "dimensions")


def test_servers_may_send_numbers_and_any_order(wire, embed, adapter):
    """Ollama and TEI know no base64; the place of a vector is its index."""
    if adapter == "gemini":
        pytest.skip("it always sends numbers, in order")
    for event in ("numbers", "backwards"):
        wire.script = lambda request, number, event=event: event
        assert rows_of(embed()) == [vector(text) for text in TEXTS]
    embed(refused=frozenset({"encoding_format"}))
    assert wire.calls[-1].request["encoding_format"] == "float"


def test_providers_without_embeddings_have_no_way_to_ask_for_them():
    makers = {name for name in REGISTRY if name not in LEGACY and issubclass(load(name), Embedder)}
    assert makers == {*MODELS, "simulator"}


def test_what_is_stored_is_what_callers_get(embed):
    """Through the caller's type."""
    reply = embed()
    answer = Completion(
        text="",
        vectors=reply.vectors,
        finish_reason="stop",
        model=reply.model,
        provider="p",
        usage=reply.usage,
        cost_usd=0.0,
        attempts=1,
        latency_ms=1,
        request_id="j",
    )
    found = Embeddings.of(Completion.model_validate_json(answer.model_dump_json()))
    assert found.vectors == [vector(text) for text in TEXTS]
    assert (len(found), found.dimensions, found.arrays[1].typecode) == (3, 8, "f")
