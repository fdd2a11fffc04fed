"""A warning of a lost lease is something to act on: not a job that has just ended."""

import logging

from support.running_jobs import running_job

from worker.ledger.leases import Leases


class Ledger:
    """What a renewal says at the wire of the ledger: every lease is gone."""

    def replay(self):
        return 0

    def renew(self, held, reported):
        return [job_id for job_id, _ in held], []


def test_a_lease_is_lost_if_the_job_is_worked_on_a_period_later(caplog):
    leases = Leases(Ledger(), str, period_s=3600)
    leases._start = lambda: None
    job = running_job()
    with caplog.at_level(logging.WARNING):
        with leases.holding(job):
            leases._renew()
        leases._renew()
        assert caplog.text == ""
        with leases.holding(job):
            leases._renew()
            leases._renew()
            leases._renew()
    assert caplog.text.count("lost") == 1
