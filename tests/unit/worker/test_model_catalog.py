"""Every model that the SDKs name is known, and what they say of its end and its API is so here."""

import inspect
import re
from datetime import date
from typing import Any, get_args

import pytest
from anthropic.types import model as anthropic_models
from openai.types.shared import all_models, chat_model

from worker.model_catalog import Model, Models

KNOWN = Models.load()
NOT_SUPPORTED = "gpt-5.1-mini"
"""OpenAI's SDK: kept there for compatibility only."""


def literals(kind: Any) -> set[str]:
    found = set()
    for each in get_args(kind):
        found |= {each} if isinstance(each, str) else literals(each)
    return found


CHAT = literals(chat_model.ChatModel)
ELSEWHERE = literals(all_models.AllModels) - CHAT


@pytest.mark.parametrize("model", sorted(CHAT | ELSEWHERE))
def test_every_model_that_openais_sdk_names_has_a_row(model):
    assert KNOWN.of("openai", model) != Model()


@pytest.mark.parametrize("model", sorted(literals(anthropic_models.Model)))
def test_every_model_that_anthropics_sdk_names_has_a_row(model):
    facts = KNOWN.of("anthropic", model)
    assert facts.window
    assert facts.output


def test_models_that_chat_completions_do_not_serve_are_marked():
    marked = {each for each in CHAT | ELSEWHERE if KNOWN.of("openai", each).api == "responses"}
    assert marked == ELSEWHERE


def test_every_end_that_openais_sdk_announces_is_known():
    announced = _announced(inspect.getsource(chat_model))
    assert len(announced) > 60
    assert announced == {name: KNOWN.of("openai", name).ends for name in announced}
    said = CHAT - announced.keys() - {NOT_SUPPORTED}
    assert [name for name in sorted(said) if KNOWN.of("openai", name).ends] == []


def _announced(source: str) -> dict[str, date]:
    """Model -> the day of its end, by the deprecations that the SDK writes under its list."""
    flat = " ".join(source[source.index("Deprecated values") :].split())
    pattern = r'- ((?:"[^"]+",? ?)+): Announced shutdown date: (\d{4}-\d\d-\d\d)'
    return {
        name: date.fromisoformat(day)
        for names, day in re.findall(pattern, flat)
        for name in re.findall(r'"([^"]+)"', names)
    }
