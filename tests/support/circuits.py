"""Circuits of a ledger without workers: failures, and time that passes for a link."""

import json

from support.ledger import KEYS

from worker.faults import Fault

LINK = "p:a"


def running(fleet, *users):
    """One started job of each user, its call on the wire of link "a"."""
    found = []
    for user in users:
        job = fleet.start(fleet.submit(user)[0])
        assert fleet.reserve(job, "a") == "a"
        found.append(job)
    return found


def circuit(fleet, link=LINK):
    return json.loads(fleet.redis.hget(KEYS.pace(link), "circuit") or "{}")


def is_open(fleet, link=LINK):
    return "till" in circuit(fleet, link)


def elapse(fleet, seconds, link=LINK):
    """So much time passes for the link."""
    for field in ("circuit", "trouble"):
        text = fleet.redis.hget(KEYS.pace(link), field)
        if text:
            aged = _aged(json.loads(text), seconds * 1000)
            fleet.redis.hset(KEYS.pace(link), field, json.dumps(aged))
    if fleet.redis.zscore(KEYS.cooling, link):
        fleet.redis.zincrby(KEYS.cooling, -seconds * 1000, link)


def _aged(value, ms):
    if isinstance(value, dict):
        return {
            name: each - ms
            if name in ("till", "since", "closed", "sent", "heard")
            else _aged(each, ms)
            for name, each in value.items()
        }
    return value


def fail_all(fleet, jobs, says="fails"):
    for job in jobs:
        fleet.fail(job, Fault.UNAVAILABLE, after_s=100, says=says)


def opened(hand_run, **options):
    """A fleet whose only link has just been left."""
    fleet = hand_run(slots=20, **options)
    fail_all(fleet, running(fleet, "u", "v", "u", "v", "u"))
    assert is_open(fleet)
    return fleet
