"""A cost is shown with how surely it is known."""

import pytest

from producer.cli import costs
from producer.contract.completions import Completion, Usage


@pytest.mark.parametrize(
    ("amounts", "text"),
    [
        ((0.012,), "$0.012000"),
        ((0.012, 0.002), "$0.012000 ($0.002000 of it estimated)"),
        ((0.012, 0, 0.1), "$0.012000 and perhaps $0.100000"),
        ((0.0, 0.0, 0.1, 4), "$0.0000 and perhaps $0.1000"),
    ],
)
def test_a_sum(amounts, text):
    assert costs.shown(*amounts) == text


@pytest.mark.parametrize(
    ("basis", "maybe", "text"),
    [
        ("stated", 0.0, "$0.010000"),
        ("estimated", 0.0, "$0.010000 (estimated)"),
        ("unknown", 0.5, "$0.010000 and perhaps $0.500000"),
    ],
)
def test_an_answer(basis, maybe, text):
    answer = Completion(
        text="x",
        finish_reason="stop",
        model="m",
        provider="p",
        usage=Usage(),
        cost_usd=0.01,
        maybe_billed_usd=maybe,
        cost_basis=basis,
        attempts=1,
        latency_ms=1,
        request_id="r",
    )
    assert costs.of_answer(answer) == text
