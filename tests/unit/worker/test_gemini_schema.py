"""Schemas of answers in the subset that Gemini takes."""

import pytest

from producer.contract.schemas import has_open_objects, is_recursive
from worker.providers.gemini_schema import KNOWN, translated

STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer", "minimum": 1}, {"type": "integer", "minimum": 1}),
        (STRING | {"minLength": 2}, STRING | {"description": '{"minLength": 2}'}),
        (
            STRING | {"pattern": "^a", "description": "An a."},
            STRING | {"description": 'An a.\n\n{"pattern": "^a"}'},
        ),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"const": True}, {"description": '{"const": true}'}),
        ({"enum": ["a", None]}, {"description": '{"one of": ["a", null]}'}),
        (STRING | {"default": "x", "$schema": "s", "$comment": "c"}, STRING),
        ({"allOf": [STRING], "title": "t"}, STRING | {"title": "t"}),
        (
            {"definitions": {"a": STRING}, "$ref": "#/definitions/a", "description": "d"},
            {"$defs": {"a": STRING}, "$ref": "#/$defs/a"},
        ),
        (
            {"type": "object", "properties": {"pattern": {"type": "string", "maxLength": 1}}},
            {
                "type": "object",
                "properties": {"pattern": STRING | {"description": '{"maxLength": 1}'}},
            },
        ),
        (
            {"items": {"anyOf": [{"not": {}}, STRING]}, "additionalProperties": False},
            {
                "items": {"anyOf": [{"description": '{"not": {}}'}, STRING]},
                "additionalProperties": False,
            },
        ),
    ],
)
def test_what_it_does_not_know_is_told_in_words(schema, expected):
    """Names of fields are no keywords."""
    assert translated(schema) == expected


def test_nothing_but_what_it_knows_is_said():
    schema = {name: {} for name in ("if", "then", "not", "contains", "propertyNames")}
    assert translated(schema).keys() <= KNOWN


@pytest.mark.parametrize(
    ("schema", "open_"),
    [
        ({"type": "object"}, True),
        ({"type": ["object", "null"]}, True),
        ({"type": "object", "properties": {"a": STRING}}, False),
        ({"type": "object", "properties": {}, "additionalProperties": False}, False),
        ({"type": "object", "properties": {"a": STRING}, "additionalProperties": STRING}, True),
        ({"type": "array", "items": {"type": "object", "additionalProperties": True}}, True),
        ({"patternProperties": {"a": STRING}}, True),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}, True),
        (STRING, False),
    ],
)
def test_objects_with_fields_of_any_name_are_found(schema, open_):
    assert has_open_objects(schema) is open_


def lists_of_lists(count, last):
    """Each by way of the next one's name: as long a chain as a request may have."""
    chain = {str(n): {"items": {"$ref": f"#/$defs/{n + 1}"}} for n in range(count)}
    return {"$defs": chain | {str(count): last}, "$ref": "#/$defs/0"}


@pytest.mark.parametrize(
    ("schema", "recursive"),
    [
        ({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}, True),
        ({"properties": {"a": {"$ref": "#"}}}, True),
        ({"$defs": {"a": STRING}, "items": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}, False),
        ({"$ref": "#/$defs/none"}, False),
        (lists_of_lists(490, STRING), False),
        (lists_of_lists(490, {"$ref": "#/$defs/0"}), True),
    ],
)
def test_schemas_that_refer_to_themselves_are_found(schema, recursive):
    assert is_recursive(schema) is recursive
