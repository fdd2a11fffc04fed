"""How long a call may take: a silence, and a total that fits the answer.

An answer that may last longer than its silence is read as a stream, which tells the one from the
other. Of a whole answer nothing is heard until it is there.
"""

from collections.abc import Set
from typing import NamedTuple

from ..faults import Fault
from ..ledger.running_job import RunningJob
from ..settings import CallSettings, Link
from .base import STREAMING
from .speeds import Speeds, longest_s


class CallLimits(NamedTuple):
    """Of one call, as `Call` has them."""

    streams: bool
    silence_s: float
    timeout_s: float
    hurried: bool


class Timing:
    """Sets the limits of calls by the settings, and by what this process has seen of links."""

    def __init__(self, settings: CallSettings) -> None:
        self._settings = settings
        self._speeds = Speeds()

    def limits(
        self,
        job: RunningJob,
        link: Link,
        max_tokens: int,
        remaining_s: float,
        refused: Set[str],
    ) -> CallLimits:
        """For an answer of at most so many tokens, of a job that has so long."""
        silence_s = min(job.request.timeout_s or self._settings.timeout_s, remaining_s)
        # The other half is for reading the prompt.
        long = longest_s(max_tokens) > silence_s / 2
        streams = long and STREAMING not in refused
        timeout_s = silence_s
        if streams or (long and self._may_be_silent(job, link)):
            timeout_s += self._speeds.most_s(link.name, max_tokens)
        return CallLimits(
            streams,
            silence_s,
            min(timeout_s, remaining_s),
            hurried=remaining_s < timeout_s,
        )

    def learn(self, link: Link, tokens: int, ms: int) -> None:
        """An answer of so many tokens took so long."""
        self._speeds.learn(link.name, tokens, max(ms, 1) / 1000)

    def _may_be_silent(self, job: RunningJob, link: Link) -> bool:
        """Whether a link that does not stream gets longer than the silence: it has shown how slowly
        it writes, or this job's answer was given up there before.
        """
        given_up = any(
            each.link == link.name and each.fault == str(Fault.TIMEOUT) for each in job.tried
        )
        return given_up or self._speeds.knows(link.name)
