"""Calls that may have been billed: taken off the books when the invoice does not have them.

Redis down: raises one of `connection.ERRORS`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from producer.contract.ledger.functions import Functions

from ..ledger.fleet_functions import Forgive

KEPT_DAYS = 40
"""So many days they can be forgiven (`possible_bills.lua`)."""
PAGE = 500


@dataclass(frozen=True)
class PossibleBills:
    """Those of a provider link and of a job ("" = any), of UTC days, both included."""

    functions: Functions
    link: str
    job_id: str
    first: date
    last: date

    def count(self) -> tuple[int, float]:
        """How many there are, and their dollars at worst."""
        return self._go_through(dry=True)

    def forgive(self) -> tuple[int, float]:
        """Take them back; how many that were, and their dollars. Each is taken back once, however
        many do this at once.
        """
        calls, dollars = self._go_through(dry=False)
        if not calls:
            return 0, 0.0
        # Another run may have moved the pages of this one.
        more_calls, more_dollars = self.forgive()
        return calls + more_calls, dollars + more_dollars

    def _go_through(self, dry: bool) -> tuple[int, float]:
        calls = micro_usd = skip = 0
        while True:
            page = self.functions(
                Forgive(
                    link=self.link,
                    id=self.job_id,
                    since_ms=_ms(datetime.combine(self.first, time.min, UTC)),
                    until_ms=_ms(datetime.combine(self.last, time.max, UTC)),
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
