"""How a link that may be called is told to the ledger."""

from ..settings import PaceSettings
from .attempt import Candidate
from .job_functions import ReservedLink


def reserved_link(candidate: Candidate, pace: PaceSettings) -> ReservedLink:
    """The link with its worst case and the operator's own limits of it."""
    own = pace.of(candidate.link)
    return ReservedLink(
        link=candidate.link.name,
        micro=candidate.micro_usd,
        tokens=candidate.tokens,
        requests_per_minute=own.requests or -1,
        tokens_per_minute=own.tokens or -1,
        calls=own.calls or -1,
    )
