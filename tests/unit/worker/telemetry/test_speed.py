"""How fast the fleet is: the mean of what calls took, and the slots of all workers."""

from types import SimpleNamespace

import pytest

from worker.telemetry.metrics import Counts, Metrics
from worker.telemetry.speed import FRESH_S, Speed, Speeds


class Windows:
    """Counts by the length of the window; notes what was asked for."""

    def __init__(self, found):
        self.found = found
        self.asked = []

    def window(self, seconds):
        self.asked.append(seconds)
        samples = self.found.get(seconds, [])
        return Counts.merged([{sample: "1"} for sample in samples])


def call(model, ms):
    return Metrics.call_ended("batch", "openai", model, "ok", ms)[1]


def speeds(found, now=None):
    redis = SimpleNamespace(hvals=lambda key: ["8", "4"])
    windows = Windows(found)
    return windows, Speeds(windows, redis, SimpleNamespace(slots="k"), lambda: (now or [0.0])[0])


@pytest.mark.parametrize(
    ("found", "call_s"),
    [
        ({}, None),
        ({3600: [call("a", 1000), call("a", 3000), call("b", 9000)]}, 2.0),
        ({3600: [call("b", 4000)], 172_800: [call("a", 1000)]}, 4.0),  # of all, if it has none
        ({172_800: [call("a", 1000)]}, 1.0),
    ],
)
def test_calls_of_the_model_in_the_last_hour_or_before(found, call_s):
    _, measured = speeds(found)
    speed = measured.of("openai", "a")
    assert speed == Speed(call_s and pytest.approx(call_s, rel=0.02), 12)


def test_a_reading_is_used_for_a_while():
    now = [0.0]
    windows, measured = speeds({3600: [call("a", 1000)]}, now)
    for _ in range(1000):
        measured.of("openai", "a")
    assert windows.asked == [3600]
    now[0] = FRESH_S
    measured.of("openai", "a")
    assert windows.asked == [3600, 3600]
