"""What a call says of its provider link, for the link's circuit in the ledger."""

import math

from ..faults import About, Fault, ProviderError, usual_about
from ..ledger.attempt import Evidence, Says
from ..settings import RetrySettings

SAYS: dict[About, Says] = {
    "request": "",
    "model": "doubts",
    "link": "fails",
    "key": "refuses",
    "nothing": "",
}
"""By what the failure is about: nothing, that the link may fail, fails, or refuses all calls."""


MOST_WORDS = 500
"""Characters of a reason that the ledger keeps."""


class Judge:
    """Judges the calls of one worker by its settings."""

    def __init__(self, settings: RetrySettings) -> None:
        self._opening_s = settings.cooldown_s
        self._most_s = settings.retry_after_max_s

    def of_failure(self, error: ProviderError, hurried: bool) -> Evidence:
        """A rate limit is no failure of the link: only what the provider asks for counts.

        `hurried`: the call had less time than calls are given, so that it took longer says nothing.
        """
        says = SAYS[error.about or usual_about(error.fault)]
        if hurried and error.fault is Fault.TIMEOUT and error.status is None:
            says = ""
        if error.fault is Fault.RATE_LIMITED:
            says = ""
        told_s = 0.0
        if error.about not in ("request", "nothing"):
            told_s = min(error.retry_after_s or 0.0, self._most_s)
        return Evidence(says, self._reason(error), told_s, self._opening_s)

    def _reason(self, error: ProviderError) -> str:
        """Also what the provider asks for, where the link is looked at again sooner: a provider may
        be wrong about hours, so it is tried in between.
        """
        asked_s = error.retry_after_s or 0.0
        if asked_s <= self._most_s or math.isinf(asked_s):
            return _in_short(error)
        return f"{_in_short(error)} and asks to be left alone for {asked_s:,.0f} s"


def _in_short(error: ProviderError) -> str:
    """Such as "HTTP 500", or the fault where that says more; with its fix, where one is known."""
    if error.goes_on:
        return error.reason[:MOST_WORDS]
    if error.fault is Fault.QUOTA_EXHAUSTED:
        return "quota exhausted"
    if error.status and error.status != 200:
        return f"HTTP {error.status}"
    return str(error.fault).replace("_", " ")
