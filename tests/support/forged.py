"""Entries of the broker as any program that may write there can make them."""

import base64
import json
import uuid

from support.ledger import ask

from producer.contract.names import COMPLETE, QUEUES

STOLEN = {"task": "thief.take", "args": [], "kwargs": {}, "options": {"queue": "thief"}}
PAST = "2001-01-01T00:00:00+00:00"
AFTER = {
    "callbacks": [STOLEN],
    "errbacks": [STOLEN],
    "chain": [STOLEN],
    "chord": STOLEN,
    "id": "another",
}
HEADERS = {
    "an expiry": {"expires": PAST},
    "a far eta": {"eta": "2999-01-01T00:00:00+00:00"},
    "no result": {"ignore_result": True},
    "a time limit": {"timelimit": [0.001, 0.001]},
    "a reply": {"reply_to": "thief", "group": "g", "root_id": "r", "shadow": "\x1b[2Jthief"},
    "stamps": {"stamped_headers": ["a"], "stamps": {"a": ["thief"]}},
    "arguments": {"foreign": {"args": [ask("stolen"), "thief"], "kwargs": {}, "options": AFTER}},
}


def entry(job_id, *, args=(), kwargs=None, after=None, **headers):
    """One that Celery would take, with anything in it."""
    body = json.dumps([list(args), kwargs or {}, after or {}]).encode()
    return {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": COMPLETE, "id": job_id} | headers,
        "properties": {
            "correlation_id": job_id,
            "reply_to": "thief",
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
            "delivery_info": {"exchange": "thief", "routing_key": "thief"},
        },
    }


def put(redis, job_id, **said):
    redis.rpush(QUEUES["interactive"], json.dumps(entry(job_id, **said)))


def forge_all(redis, job_id):
    for headers in HEADERS.values():
        put(redis, job_id, after=AFTER, **headers)
    put(redis, job_id, args=(ask("stolen"), "thief"), after=AFTER, expires=PAST)
