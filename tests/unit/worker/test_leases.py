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


def test_results_that_wait_are_told_in_turn_until_they_are_stored_or_given_up(monkeypatch):
    monkeypatch.setattr("worker.ledger.leases.MOST_TOLD", 2)
    told = []

    class Noting(Ledger):
        def renew(self, held, reported):
            told.append(reported)
            return [], []

    leases = Leases(Noting(), str, period_s=3600)
    leases._start = lambda: None
    fates = {"a": True, "b": False, "c": False, "d": False, "e": None}
    for job_id in fates:
        leases.note_reported(job_id, lambda job_id=job_id: fates[job_id])
    leases._renew()
    leases._renew()
    fates["b"] = True
    leases._renew()
    assert told == [
        {"a": True, "b": False, "c": False},
        {"d": False, "b": False},
        {"b": True, "c": False, "d": False},
    ]
    fates["c"] = fates["d"] = None
    leases._renew()
    assert len(told) == 3
