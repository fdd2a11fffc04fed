"""A server that has just started delays the jobs that it may have forgotten something of, and only
those.
"""

import pytest
from support.hand_run import HandRun

from worker.ledger import ledger as ledgers


class Early(Exception):
    """The job would wait out the quiet time."""


def early(seconds):
    raise Early


def test_a_job_of_the_server_s_first_second_does_not_wait(own_valkey, monkeypatch):
    """Its uptime is told in whole seconds, so it seems to have started after that job."""
    fleet = HandRun(own_valkey.url())
    (old,) = fleet.submit("u")
    own_valkey.kill()
    own_valkey.start()
    fleet.ledger._quiet_ms = fleet.quiet_ms
    fleet.ledger.heartbeat("test", 2, 3600)
    (young,) = fleet.submit("v")
    monkeypatch.setattr(ledgers.time, "sleep", early)
    assert fleet.start(young).id == young
    with pytest.raises(Early):
        fleet.ledger.start(old)
    fleet.redis.close()
