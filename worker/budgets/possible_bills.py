"""Calls that may have been billed: taken off the books when the invoice does not have them, with a
record of who did that and why.

Redis down: raises one of `connection.ERRORS`.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from producer.contract.ledger.functions import Functions

from ..ledger.connection import LedgerConnection, Redis
from ..ledger.fleet_functions import Forgive

KEPT_DAYS = 40
"""So many days they can be forgiven (`possible_bills.lua`)."""
PAGE = 500
RECORDS = 1_000
RECORDS_S = 400 * 86_400


class Meant(NamedTuple):
    """Which calls: to a provider link, of a job ("" = any), ended from one instant until another,
    both included.
    """

    link: str
    job: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Record:
    """That calls were forgiven. `at`, `since`, `until`: ISO 8601 in UTC."""

    at: str
    who: str
    reason: str
    link: str
    job: str
    since: str
    until: str
    calls: int
    usd: float


class PossibleBills:
    """Those of a fleet."""

    def __init__(self, connection: LedgerConnection) -> None:
        self._functions: Functions = connection.functions
        self._redis: Redis = connection.redis
        self._key = connection.keys.forgiven

    def count(self, meant: Meant) -> tuple[int, float]:
        """How many there are, and their dollars at worst."""
        return self._go_through(meant, dry=True)

    def forgive(self, meant: Meant, who: str, reason: str) -> tuple[int, float]:
        """Take them back; how many that were, and their dollars. Each is taken back once, however
        many do this at once. A record is written if there were any.
        """
        calls, dollars = self._take_back(meant)
        if calls:
            self._record(meant, who, reason, calls, dollars)
        return calls, dollars

    def records(self) -> Iterator[Record]:
        """The latest first."""
        for text in self._redis.lrange(self._key, 0, -1):
            yield Record(**json.loads(str(text)))

    def _take_back(self, meant: Meant) -> tuple[int, float]:
        calls, dollars = self._go_through(meant, dry=False)
        if not calls:
            return 0, 0.0
        # Another run may have moved the pages of this one.
        more_calls, more_dollars = self._take_back(meant)
        return calls + more_calls, dollars + more_dollars

    def _record(self, meant: Meant, who: str, reason: str, calls: int, dollars: float) -> None:
        now = datetime.fromtimestamp(int(self._redis.time()[0]), UTC)
        since, until = (each.astimezone(UTC).isoformat() for each in (meant.since, meant.until))
        record = Record(
            now.isoformat(), who, reason, meant.link, meant.job, since, until, calls, dollars
        )
        self._redis.lpush(self._key, json.dumps(asdict(record)))
        self._redis.ltrim(self._key, 0, RECORDS - 1)
        self._redis.expire(self._key, RECORDS_S)

    def _go_through(self, meant: Meant, dry: bool) -> tuple[int, float]:
        calls = micro_usd = skip = 0
        while True:
            page: Any = self._functions(
                Forgive(
                    link=meant.link,
                    id=meant.job,
                    since_ms=_ms(meant.since),
                    until_ms=_ms(meant.until),
                    skip=skip,
                    most=PAGE,
                    dry=dry,
                )
            )
            calls += page.calls
            micro_usd += page.micro
            skip += page.kept
            if page.seen < PAGE:
                return calls, micro_usd / 1_000_000


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
