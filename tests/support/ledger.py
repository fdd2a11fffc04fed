"""What a test reads in the ledger behind everybody's back."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from redis import Redis
from support.keys import AllKeys

from producer.contract.errors import JobError
from worker.ledger.connection import LedgerConnection
from worker.settings import RedisSettings
from worker.telemetry.metrics import Metrics

KEYS = AllKeys()


def connection(url: str) -> LedgerConnection:
    """As a worker or a command opens it."""
    return LedgerConnection(RedisSettings(url=url))


def ask(text: str) -> list[dict[str, str]]:
    """A conversation of one question."""
    return [{"role": "user", "content": text}]


def until(condition: Callable[[], Any], timeout_s: float = 30.0, every_s: float = 0.02) -> None:
    """Wait for something that a server does in its own time; AssertionError if it does not."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(every_s)


def work(complete, count=4, **options):
    """So many jobs, whatever comes of them."""
    for job in [complete.delay(ask(f"question {n}"), "u1", **options) for n in range(count)]:
        with suppress(JobError):
            job.value(30)


class LedgerProbe:
    """Counters in micro-dollars and tokens, straight from the server."""

    def __init__(self, url: str) -> None:
        self.redis = Redis.from_url(url, decode_responses=True)

    def __enter__(self) -> "LedgerProbe":
        return self

    def __exit__(self, *_: object) -> None:
        self.redis.close()

    def budget(self, *name: str) -> dict[str, int]:
        """{"held", "spent", "maybe"} of one budget, all slots together."""
        fields = self.redis.hgetall(KEYS.budget(*name))
        totals = {"held": int(fields.pop("h", 0)), "spent": 0, "maybe": 0}
        for field, amount in fields.items():
            totals["spent" if field.startswith("u") else "maybe"] += int(amount)
        return totals

    def counter(self, name: str) -> int:
        return Metrics(self.redis, KEYS).totals().events[name]

    def open(self) -> int:
        """How many jobs are released or running."""
        return int(self.redis.zcard(KEYS.open))

    def open_attempts(self) -> list[str]:
        """The owner (host:pid) of each attempt whose outcome the ledger does not know yet.

        Everything that was sent to the server before is taken into account: the answer to the
        first of two requests comes after it, so the second one sees its effects.
        """
        self.redis.ping()
        owners = []
        for job_id in self.redis.zrange(KEYS.open, 0, -1):
            link, owner = self.redis.hmget(KEYS.job(job_id), "link", "owner")
            if link:
                owners.append(owner)
        return owners

    def jobs(self) -> Iterator[dict[str, Any]]:
        for key in self.redis.scan_iter(KEYS.job("*")):
            yield self.redis.hgetall(key)
