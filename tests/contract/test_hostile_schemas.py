"""Schemas as nobody should write them are refused, or sent to a vendor who decides: for none of our
adapters, nor for what it does with a schema first, are they an error.
"""

import pytest
from support.running_jobs import running_job
from support.scripted import MODELS, Exchange, http, play

from producer.contract.errors import JobError
from producer.contract.requests import CompletionRequest
from worker.budgets.pricing import Pricing
from worker.faults import ProviderError
from worker.model_catalog import Models
from worker.providers.gemini_legacy_schema import translated, unsupported_keyword
from worker.providers.selection import LinkSelector
from worker.providers.tokens import Estimator
from worker.settings import CallSettings, Link, QuotaSettings
from worker.settings.prices import rates

TEXT = {"type": "string"}
CLOSED = {"type": "object", "additionalProperties": False}
STRICT = {"strict": True}
REFUSAL = http(400, b'{"error":{"message":"x","type":"invalid_request_error"}}')


def chain(length, wrap):
    """An object whose field is a schema that names the next one, and so on."""
    names = {f"d{n}": wrap({"$ref": f"#/$defs/d{n + 1}"}) for n in range(length)}
    return CLOSED | {
        "required": ["a"],
        "properties": {"a": {"$ref": "#/$defs/d0"}},
        "$defs": names | {f"d{length}": TEXT},
    }


def four(schema):
    names = "abcd"
    return CLOSED | {"properties": dict.fromkeys(names, schema), "required": list(names)}


SCHEMAS = {
    "long chain of lists": chain(498, lambda each: {"type": "array", "items": each}),
    "4 ** 100 objects": chain(100, four),
    "alternatives in lists": chain(90, lambda each: {"items": {"anyOf": [each, each]}}),
    "by percent signs": CLOSED | {"properties": {"a": {"$ref": "#/%24defs/x"}}, "$defs": {"x": {}}},
    "by an anchor": {"$defs": {"a": {"$anchor": "a", "not": {"$ref": "#a"}}}, "$ref": "#a"},
    "dynamic": {"$dynamicAnchor": "n", "properties": {"x": {"$dynamicRef": "#n"}}},
    "nothing there": {"$ref": "#/$defs/none"},
    "references that are none": CLOSED | {"properties": {"a": {"$ref": 7}, "b": {"$ref": ["#"]}}},
    "fields that are none": CLOSED | {"properties": {"a": 7, "b": None, "c": "x", "": []}},
    "list of fields": {"type": "object", "properties": [1, 2]},
    "no fields": CLOSED | {"properties": None},
    "required nonsense": CLOSED | {"properties": {"a": TEXT}, "required": [7, None]},
    "required number": CLOSED | {"properties": {"a": TEXT}, "required": 7},
    "definitions nonsense": {"definitions": None, "$defs": [1], "type": "object"},
    "definitions number": {"definitions": 7, "type": "object"},
    "types nonsense": CLOSED | {"properties": {"a": {"type": 7}, "b": {"type": [{}]}}},
    "no type": {"type": []},
    "items nonsense": {"type": "array", "items": 7, "prefixItems": 7, "minItems": "x"},
    "enum nonsense": CLOSED | {"properties": {"a": {"enum": 7}, "b": {"enum": [[{}]]}}},
    "alternatives nonsense": CLOSED | {"properties": {"a": {"anyOf": 7}, "b": {"anyOf": ["x"]}}},
    "one of all": CLOSED | {"allOf": [7]},
    "words nonsense": CLOSED | {"title": 7, "description": [1], "minLength": 3, "format": 7},
    "signs in a name": CLOSED | {"properties": {"\x00\x1b[2J\n": TEXT}},
    "long name": CLOSED | {"properties": {"x" * 100_000: TEXT}},
}


def asked(schema):
    """The schema as that of an answer and of tools, as far as a request may have it."""
    answer = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    tool = {"name": "f", "parameters": schema}
    tools = [{"tools": [{"type": "function", "function": each}]} for each in (tool, tool | STRICT)]
    for options in ({"response_format": answer}, *tools):
        try:
            yield CompletionRequest.checked(messages=[{"role": "user", "content": "x"}], **options)
        except JobError:
            continue


@pytest.fixture(scope="module")
def models():
    return Models.load()


@pytest.mark.parametrize("api", MODELS)
def test_a_schema_is_refused_or_sent(api, models):
    vendor = api.partition("-")[0]
    link = Link(provider=vendor, model=MODELS[api], adapter=api)
    pricing = Pricing({}, rates("50/200"))
    no_limits = QuotaSettings(tokens_per_hour=None)
    parts = (CallSettings(), models, "fast", pricing, Estimator(models), no_limits)
    selector = LinkSelector((link,), *parts)
    sent = []
    for name, schema in SCHEMAS.items():
        for number, request in enumerate(asked(schema)):
            try:
                selector.candidates(running_job("j", request))
            except JobError:
                continue
            sent.append(Exchange(f"{name} {number}", api, REFUSAL, request=request))
    assert sent
    wrong = {
        each.exchange.name: repr(each.result)[:200]
        for each in play(sent)
        if not isinstance(each.result, ProviderError) or each.requests != 1
    }
    assert wrong == {}


def test_the_first_api_of_gemini_is_told_what_is_not_refused():
    """Its SDK is not here: it is what we make of a schema for it."""
    told = 0
    for schema in SCHEMAS.values():
        for request in asked(schema):
            if not unsupported_keyword(request):
                assert translated(schema)["type_"]
                told += 1
    assert told
