"""What a notebook shows, what `json.dumps` takes, and the page of options."""

import json
import re
from pathlib import Path

import pytest
from support.options_page import page

from producer import Batch, Completion, complete, errors
from producer.testing import faked

ROOT = Path(__file__).parents[3]
ASK = [{"role": "user", "content": "What is a broker?"}]


def test_the_page_of_options_is_made_from_the_docstrings():
    """`tests/support/options_page.py` writes it anew."""
    shown = page()
    assert (ROOT / "docs/options.md").read_text() == shown
    assert re.findall(r"^\| `(\w+)` \|.*\|  \|$", shown, re.MULTILINE) == []
    assert shown.count("| `") > 80


def test_an_answer_is_shown_in_a_notebook_and_nowhere_else():
    answer = Completion.fake("**Passes** messages on.", cost_usd=0.002)
    assert answer._repr_markdown_() == "**Passes** messages on.\n\n*fake:fake, $0.002000*"
    assert "Passes" not in repr(answer)
    calls = [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]
    assert "`f({})`" in Completion.fake("", tool_calls=calls)._repr_markdown_()
    assert Completion.fake("", refusal="I will not")._repr_markdown_().startswith("I will not")


def test_a_job_is_shown_as_it_is_now():
    with faked() as fake:
        fake.answers("Passes messages on.", errors.Refused("it declined"))
        answered, refused = complete.many([ASK, ASK], "u1")
        assert answered._repr_markdown_().startswith("Passes messages on.\n")
        assert refused._repr_markdown_() == f"*job {refused.id}: Refused: it declined*"
        fake.holds()
        waiting = complete.delay(ASK, "u1")
        assert waiting._repr_markdown_() == f"*job {waiting.id}: waiting*"
        with fake.away("it sleeps"):
            assert "Unavailable: it sleeps" in waiting._repr_markdown_()
        assert "OutcomeUnknown" in complete.AsyncResult("nobody")._repr_markdown_()
        batch = Batch.submit([ASK], "u1", "night")
        assert batch._repr_html_().startswith('<progress value="0" max="1">')


def test_an_answer_becomes_json():
    calls = [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]
    answer = Completion.fake("text", tool_calls=calls)
    told = json.loads(json.dumps(answer.model_dump()))
    assert Completion.model_validate(told) == answer
    with pytest.raises(TypeError, match="Completion is not JSON serializable"):
        json.dumps(answer)
