"""A number that the settings take is one that the ledger's functions take, and no greater one is:
a worker whose settings are valid is never refused its heartbeats.
"""

import pytest
from pydantic import ValidationError
from support.ledger import KEYS

from producer.contract.ledger.functions import InvalidCall
from worker.ledger.fleet_limits import FleetLimits
from worker.ledger.ledger import Ledger
from worker.settings import LaneSettings, LedgerSettings, PaceSettings, QuotaSettings, RetrySettings
from worker.settings.base import MOST, TEN_YEARS_S

EMPTY = {"interactive": True, "batch": True}
MOST_DOLLARS = MOST // 1_000_000


def heartbeat(ledger, **_):
    ledger.heartbeat("w1", 1, 5.0)


def sweep(ledger, **_):
    ledger.sweep(10, EMPTY)


def start(ledger, **_):
    ledger.start("nothing")


DOLLARS = [name for name in QuotaSettings.model_fields if "_usd_per_" in f"_{name}"]
BOUNDS = [
    (LedgerSettings, "usage_days", TEN_YEARS_S // 86_400, heartbeat),
    (LedgerSettings, "result_expires_s", TEN_YEARS_S, heartbeat),
    (LedgerSettings, "dead_letter_s", TEN_YEARS_S, heartbeat),
    (LaneSettings, "user_in_flight", 10**9, heartbeat),
    (LedgerSettings, "deliveries", MOST, start),
    (LedgerSettings, "deliveries", MOST, sweep),
    (RetrySettings, "max_attempts", MOST, sweep),
    (QuotaSettings, "tokens_per_hour", MOST, heartbeat),
    (QuotaSettings, "requests_per_minute", MOST, heartbeat),
    *((QuotaSettings, name, MOST_DOLLARS, heartbeat) for name in DOLLARS),
]


@pytest.fixture
def built(hand_run):
    """`built(settings)`: a ledger that has them, and a running job."""
    fleet = hand_run()
    job = fleet.start(fleet.submit("u1")[0])

    def build(given):
        lanes = given if isinstance(given, LaneSettings) else LaneSettings()
        settings = given if isinstance(given, LedgerSettings) else LedgerSettings()
        retry = given if isinstance(given, RetrySettings) else None
        quota = given if isinstance(given, QuotaSettings) else QuotaSettings()
        limits = FleetLimits.of(quota)
        ledger = Ledger(fleet.redis, KEYS, settings, "test", lanes, PaceSettings(), retry, limits)
        return {"ledger": ledger, "job": job}

    return build


@pytest.mark.parametrize(("settings", "field", "most", "use"), BOUNDS)
def test_both_have_the_same_bound(built, settings, field, most, use):
    use(**built(settings(**{field: most})))
    with pytest.raises(ValidationError, match=f"less than or equal to {most}"):
        settings(**{field: most + 1})
    unchecked = settings().model_copy(update={field: most + 1})
    with pytest.raises(InvalidCall, match="needs a whole number"):
        use(**built(unchecked))


def test_so_has_a_link_s_pace(hand_run):
    with pytest.raises(ValidationError, match="requests per minute"):
        PaceSettings(limits=f"p:a={MOST + 1}")
    (own,) = PaceSettings(limits=f"p:a={MOST}/{MOST}/{MOST}").limits.values()
    fleet = hand_run(pace={"p:a": own._asdict()})
    assert fleet.reserve(fleet.start(fleet.submit("u1")[0]), "a") == "a"
