"""Each of Prometheus' alert rules fires when it should and not otherwise: pages of real fleets are
scraped once a minute, and the rules' expressions evaluated (`tests/support/promql.py`).
"""

from pathlib import Path

import pytest
import yaml
from support.ledger import KEYS
from support.promql import Rules
from support.scripted_fleet import ScriptedFleet

from producer.contract.errors import ProvidersExhausted, RateLimited
from worker.ledger.connection import LedgerConnection
from worker.monitoring.health import Health
from worker.monitoring.prometheus import page
from worker.settings import HealthSettings, RedisSettings
from worker.telemetry.metrics import Metrics

RULES = Path(__file__).parents[2] / "deploy/prometheus-rules.yml"
DOWN = ProvidersExhausted("no provider answered")
OVER = RateLimited("used up", {"limit": "user_tokens_per_hour"})
NOWHERE = "redis://127.0.0.1:1/0"
MINUTES = 12


def in_minutes(*minutes):
    return lambda minute: minute in minutes


def always(minute):
    return True


def no_worker(fleet):
    fleet.redis.delete(KEYS.workers)


def unknown(count):
    def happen(fleet):
        for _ in range(count):
            fleet.happened("unknown_attempts")

    return happen


def worker(fleet):
    fleet.ledger.heartbeat("test", 10_000, 3600)


FIRES = {
    "CompletionsAway": (in_minutes(4, 5, 6), None),
    "CompletionsDown": (in_minutes(4), no_worker),
    "CompletionsFinding": (in_minutes(4), lambda f: f.errors(DOWN, 1)),
    "CompletionsFailing": (always, lambda f: (f.jobs(2), f.errors(DOWN, 2))),
    "CompletionsUnknownCalls": (in_minutes(4, 8), unknown(6)),
}
"""Rule -> in which minutes what happens; None: the page is not served."""
QUIET = {
    "CompletionsAway": (in_minutes(4), None),
    "CompletionsDown": (always, lambda f: no_worker(f) if f.minute == 4 else worker(f)),
    "CompletionsFinding": (always, lambda f: (f.jobs(5), f.errors(OVER, "greedy", 9))),
    "CompletionsFailing": (in_minutes(2, 4, 7, 9), lambda f: f.errors(DOWN, 1)),
    "CompletionsUnknownCalls": (in_minutes(4, 8), unknown(3)),
}


@pytest.fixture
def fired(redis_url):
    """`fired(when, happen)`: all rules that fire within the minutes."""
    fleet = ScriptedFleet(redis_url)

    def run(when, happen, **urls):
        connection = LedgerConnection(RedisSettings(url=redis_url, **urls))
        health = Health(connection, HealthSettings())
        rules = Rules(yaml.safe_load(RULES.read_text())["groups"][0]["rules"])
        found = set()
        for fleet.minute in range(MINUTES):
            served = True
            if when(fleet.minute):
                served = happen is not None
                if happen:
                    happen(fleet)
            text = page(health.check(), Metrics(fleet.redis, KEYS)).decode() if served else ""
            found |= rules.scrape(fleet.minute * 60, text)
        connection.close()
        return found

    yield run
    fleet.redis.close()


@pytest.mark.parametrize("name", FIRES)
def test_a_rule_fires_when_it_should(fired, name):
    assert name in fired(*FIRES[name])


@pytest.mark.parametrize("name", QUIET)
def test_and_not_otherwise(fired, name):
    assert name not in fired(*QUIET[name])


def test_every_rule_is_tried_both_ways():
    names = {each["alert"] for each in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]}
    assert names == set(FIRES) == set(QUIET)


def test_what_is_down_is_one_alert_and_what_is_less_is_another(fired):
    """Without its results' server the fleet works: a ticket and no page."""
    assert fired(always, no_worker) == {"CompletionsDown"}
    assert fired(always, worker, ledger_url=NOWHERE) == {"CompletionsDown"}
    assert fired(always, worker, backend_url=NOWHERE) == {"CompletionsFinding"}
