"""Progress where there is no terminal: nothing is said twice."""

import pytest
from support.progress import progress

from producer.cli import bars
from producer.cli.bars import Rates, _Lines


@pytest.fixture
def shown(monkeypatch, capsys):
    """The lines of looks at a batch, six seconds apart."""
    clock = iter(range(0, 10_000, 6))
    monkeypatch.setattr(bars, "PLAIN_EVERY_S", 0)

    def shown_(*looks):
        lines, rates = _Lines(as_json=False), Rates()
        for look in looks:
            monkeypatch.setattr(bars.time, "monotonic", lambda: float(next(clock)))
            rates.add(look)
            lines.update(look, rates)
        return capsys.readouterr().err.splitlines()

    return shown_


def test_what_a_batch_waits_for_is_told_once_until_something_moves(shown):
    """Also if two limits hold it back in turn."""
    held, paced, free = (progress(held_back=each) for each in ("user_usd_per_day", "openai:m", ""))
    lines = shown(free, held, held, paced, held, free, paced, *[held] * 50)
    assert len(lines) == 3
    moved = progress(done=1, held_back="user_usd_per_day")
    assert len(shown(held, held, moved, moved, free)) == 3


def test_an_outage_is_named_once_whatever_its_age(shown):
    down = [
        progress(waits_for=f"openai:m: HTTP 500 since 00:00:{n:02}, next try in 8 s")
        for n in range(10, 60)
    ]
    lines = shown(*down, progress(waits_for="no worker is alive"), down[-1])
    assert ["HTTP 500 since 00:00:10" in lines[0], "no worker is alive" in lines[1]] == [True, True]
    assert len(lines) == 2
