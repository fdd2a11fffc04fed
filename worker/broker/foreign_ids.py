"""Ids that the broker has and the ledger does not: another fleet's, most likely."""

import logging
import time

logger = logging.getLogger(__name__)

SAY_S = 30.0
"""Between two lines of a process."""
_met = 0
_said = -SAY_S


def say_foreign(prefix: str) -> None:
    """That an id was met which the ledger has never had, or has forgotten; not for each of many."""
    global _met, _said
    _met += 1
    if time.monotonic() - _said < SAY_S:
        return
    logger.warning(
        "FOREIGN_IDS: the broker gave %d ids that this ledger does not know. Fix: if another fleet "
        "with LEDGER_PREFIX=%s and another LEDGER_URL uses this broker, give it another prefix",
        _met,
        prefix,
    )
    _met, _said = 0, time.monotonic()
