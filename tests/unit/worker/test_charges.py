"""What servers say of a call's price, in their own words."""

import pytest

from producer.contract.completions import Usage
from worker.providers.charges import charged_micro_usd, service_tier
from worker.providers.usages import (
    CACHED,
    UNREADABLE,
    Stated,
    anthropic_usage,
    gemini_usage,
    openai_usage,
)

UPSTREAM = {"upstream_inference_cost": 0.02}


@pytest.mark.parametrize(
    ("stated", "micro_usd"),
    [
        ({"cost": 0.00014}, 140),
        ({"cost": 0}, 0),
        ({"cost": "0.0000001"}, 1),
        (
            {"cost": 0.001, "is_byok": True, "cost_details": UPSTREAM},
            21_000,
        ),
        (
            {"cost": 0.001, "is_byok": False, "cost_details": UPSTREAM},
            1_000,
        ),
        ({"cost": {"input_tokens_cost": 0.1, "total_cost": 0.006}}, 6_000),
        ({"cost_in_usd_ticks": 318_319_000}, 31_832),
        ({"cost_in_usd_ticks": 0, "cost": 3}, 0),
        ({"estimated_cost": 2.5e-06}, 3),
        ({"cost": -1}, None),
        ({"cost": True}, None),
        ({"cost": "free"}, None),
        ({"cost": float("nan")}, None),
        ({"cost": "1e999999"}, None),
        ({"cost": 10**300}, None),
        ({"cost": [1]}, None),
        ({"cost_in_usd_ticks": "sNaN"}, None),
        ({}, None),
    ],
)
def test_what_a_provider_charged(stated, micro_usd):
    assert charged_micro_usd(stated) == micro_usd


@pytest.mark.parametrize(
    ("stated", "tier"),
    [
        ("default", ""),
        ("auto", ""),
        ("standard", ""),
        ("on_demand", ""),
        ("ON_DEMAND", ""),
        ("SERVICE_TIER_FLEX", "flex"),
        ("ON_DEMAND_PRIORITY", "priority"),
        ("Priority", "priority"),
        ("flex\n", "flex"),
        ("x" * 99, ""),
        ("a b", ""),
        (None, ""),
        (3, ""),
        ({"a": 1}, ""),
    ],
)
def test_the_service_tier(stated, tier):
    assert service_tier(stated) == tier


def test_anthropics_cache_by_how_long_it_is_kept():
    stated = {
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_creation_input_tokens": 700,
        "cache_read_input_tokens": 90,
        "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 300},
        "service_tier": "batch",
    }
    read = anthropic_usage(stated)
    assert read.usage == Usage(
        input=800, output=5, cached=90, cache_written=700, cache_written_1h=300
    )
    assert (read.tier, anthropic_usage(stated | {"service_tier": "priority"}).tier) == ("batch", "")
    assert anthropic_usage(stated | {"speed": "fast"}).tier == "fast"


def test_geminis_tier_is_in_its_usage():
    stated = {"promptTokenCount": 1, "candidatesTokenCount": 1, "serviceTier": "flex"}
    assert gemini_usage(stated).tier == "flex"


@pytest.mark.parametrize("wrong", [-1, 2**53 + 1, 10**9 + 1, 1.5, "many", True, [3]])
@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens"])
def test_a_count_that_is_none_is_not_made_up_from_the_others(name, wrong):
    stated = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, name: wrong}
    assert openai_usage(stated) == Stated(None, (UNREADABLE,))
    del stated[name]
    assert openai_usage(stated).usage == Usage(input=10, output=5)


def test_a_cache_larger_than_the_prompt_is_not_deducted():
    stated = {"prompt_tokens": 10, "completion_tokens": 1, "prompt_cache_hit_tokens": 90}
    read = openai_usage(stated)
    assert (read.usage.cached, read.usage.input, read.flags) == (0, 100, (CACHED,))
