"""`LLM_PRICES`: what it takes, and that an error says where."""

from decimal import Decimal

import pytest

from worker.settings.prices import Rates, rates, rows


def test_two_prices_are_enough():
    assert rows(" a:*=0.10/0.20 , b:c=0/0,") == {
        "a:*": Rates(Decimal("0.10"), Decimal("0.20")),
        "b:c": Rates(Decimal(0), Decimal(0)),
    }


def test_all_of_them():
    found = rows("g:ft:x:org::1@flex=1/2/-/4/5+1000:6/7/8!")
    assert found == {
        "g:ft:x:org::1@flex": Rates(
            Decimal(1),
            Decimal(2),
            None,
            Decimal(4),
            Decimal(5),
            above=((1000, Rates(Decimal(6), Decimal(7), Decimal(8))),),
            forced=True,
        )
    }


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a:b=1", "row 1, a:b: prices are written input/output"),
        ("a:b=1/2,c:d=1/2/3/4/5/6", "row 2, c:d: prices are written"),
        ("a:b=1/2,c:d=1/x", "row 2, c:d: output is no number"),
        ("a:b=1/2/x", "row 1, a:b: cached is no number"),
        ("a:b=1/-2", "row 1, a:b: output must be a number from 0"),
        ("a:b=1/nan", "row 1, a:b: output must be a number from 0"),
        ("a:b=-/2", "row 1, a:b: input and output need a price"),
        ("a:b=1/2+1000", r"row 1, a:b: larger requests are written \+200000:input/output"),
        ("a:b=1/2+x:1/2", "row 1, a:b: larger requests are written"),
        ("a:b=1/2+9:1/2+9:1/2", "row 1, a:b: larger requests are written in order"),
        ("a:b=1/2+9:1", "row 1, a:b: prices are written"),
        ("a=1/2", "row 1: write it as provider:model=input/output"),
        ("a:b=1/2,1/2", "row 2: write it as"),
        ("a:b", "row 1: write it as"),
        ("a:b=1/2,a:b=1/3", "row 2, a:b: it is named twice"),
    ],
)
def test_an_error_says_where(text, place):
    with pytest.raises(ValueError, match=place):
        rows(text)


def test_the_rates_of_a_larger_request_hold_for_all_of_it():
    found = rates("1/2+1000:3/4+2000:5/6")
    assert [found.at(tokens).input for tokens in (0, 1000, 1001, 2000, 2001)] == [1, 1, 3, 3, 5]
