"""Ids that the ledger put on the broker's queues, several of them in one trip.

Where a message may have arguments, an entry is taken by itself, so that no second one is lost with
its worker. Of an id nothing is lost, as the sweep finds it; and the ledger knows its own.
"""

from dataclasses import dataclass

from producer.contract.ledger.call import Argument, Call, Reply
from producer.contract.ledger.keys import LedgerKeys
from producer.contract.ledger.library import library


@dataclass(frozen=True)
class TakeReply(Reply):
    """Entries of each lane's queue, the oldest first."""

    interactive: list[bytes]
    batch: list[bytes]


@dataclass(frozen=True)
class Take(Call[TakeReply], function="take"):
    most: int
    lanes: str
    """both, interactive or batch."""


def command(prefix: str, most: int, lanes: str) -> list[Argument]:
    """For the server of the fleet's ledger and broker."""
    keys = LedgerKeys(prefix, is_broker=True).of_calls
    name = library(prefix).function(Take.function)
    return ["FCALL", name, len(keys), *keys, *Take(most, lanes).arguments]
