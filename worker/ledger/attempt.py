"""What one start of a job did: the call it reserved and made, what that cost, what to store with
the outcome.
"""

from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from producer.contract.completions import CostBasis, Usage
from producer.contract.requests import CompletionRequest

from ..rate_limit_headers import NOT_STATED, RateLimits
from ..settings import Link
from .calls import Wait
from .running_job import RunningJob

MIN_CALL_S = 1.0
"""No attempt starts with less time than this, or than the link's median, before its job must have
ended: it could only be paid for and thrown away.
"""
MOST_TOKENS = 10**9
MOST_MICRO_USD = 10**12
"""No call uses more. A reply that says so is unreadable, and the ledger would refuse the number."""


@dataclass(frozen=True)
class Bill:
    """What an attempt cost: nothing, its hold as possibly billed, or a real amount."""

    kind: Literal["none", "free", "maybe", "real"]
    """none: it never left; free: it did, and counts as a request."""
    micro_usd: int = 0
    tokens: int = 0
    """Input and output together."""
    output_tokens: int = 0
    estimated: bool = False
    """Whether tokens or price are this worker's estimate: the provider told too little."""
    booked_as: str = ""
    """The provider link that it is booked as, if another model than the reserved link's answered.
    """

    @classmethod
    def of_reply(cls, micro_usd: int, usage: Usage | None) -> "Bill":
        """Of a call that was answered. Without a usage, or with one that cannot be true, the hold
        stays as possibly billed.
        """
        if usage is None:
            return POSSIBLY_BILLED
        tokens = usage.input + usage.output
        most = max(usage.input, usage.output, tokens)
        if most > MOST_TOKENS or micro_usd > MOST_MICRO_USD:
            return POSSIBLY_BILLED
        if min(usage.input, usage.output, micro_usd) < 0:
            return POSSIBLY_BILLED
        return cls("real", micro_usd, tokens, usage.output)

    @property
    def basis(self) -> CostBasis:
        """How the cost is known."""
        if self.kind == "maybe":
            return "unknown"
        return "estimated" if self.estimated else "stated"


NOT_SENT = Bill("none")
NOT_BILLED = Bill("free")
POSSIBLY_BILLED = Bill("maybe")


Says = Literal["", "answers", "fails", "doubts", "refuses"]


class Evidence(NamedTuple):
    """What a call says of its provider link; the ledger decides what follows from all of them."""

    says: Says = ""
    """"" nothing; doubts: it, or only its model, may fail; refuses: it will take no call."""
    reason: str = ""
    """Why it failed, in a few words."""
    told_s: float = 0.0
    """How long the provider asks to be left alone, in seconds."""
    opening_s: float = 0.0
    """For how long a failing link is left alone at first."""


NO_EVIDENCE = Evidence()
ANSWERED = Evidence("answers")


class Candidate(NamedTuple):
    """One provider link that may make the attempt, with the attempt's worst case there."""

    link: Link
    max_tokens: int
    micro_usd: int
    tokens: int
    trimmed: int = 0
    """How many of the oldest messages are left out to fit the model's window."""
    priced: bool = True
    """Whether its price is known; if not, `micro_usd` is by the ceiling."""
    fallback: bool = False
    """Whether another link comes before it when none has been tried."""
    sends_limit: bool = True
    """Whether `max_tokens` is to be sent; if not, it is the model's own maximum."""
    prompt_tokens: int = -1
    """Of the worst case, the prompt's share; -1 = not known."""
    prompt_micro_usd: int = -1


class Question(NamedTuple):
    """What the cache is asked. It holds no prompt."""

    content: str = ""
    """SHA-256 of what is asked and how; "" = the cache is not asked."""
    namespace: str = ""
    take: bool = False
    """Whether a fresh answer may be taken."""
    join: bool = False
    """Whether to wait for an identical job in flight, or to lead those that come."""
    tags: str = ""
    """Of the asker, with a comma between them: a bust of one hides what was there before it."""


NOT_CACHED = Question()


class CachePlace(NamedTuple):
    """Where a job's answer is cached, and what is there now. Without a `key` its answer is not
    cached.
    """

    key: str = ""
    entry: str = ""
    """Fresh or stale; a stale one is the answer when every provider fails."""
    now_ms: int = 0
    """The server's time when it was read."""


class CacheEntry(NamedTuple):
    """An answer for the cache, stored in the same step as the outcome."""

    key: str
    text: str
    life_ms: int


class Saved(NamedTuple):
    """What a cached answer had cost the one that paid for it."""

    link: str = ""
    """provider:model that had answered; "" = the job's answer is not a cached one."""
    micro_usd: int = 0
    near: str = ""
    """Of a near question's answer: which one (`Trial.served`)."""


NOTHING_SAVED = Saved()


@dataclass
class Attempt:
    """Made anew for each start of a job. The pipeline's parts note here what they did; the ledger
    books it when the job is settled or parked.
    """

    request: CompletionRequest | None = field(default=None, repr=False)
    """What the providers are asked: of a job about a document, not the job's own request."""
    number: int = 0
    """Which attempt of the job this is, from 1; 0 until a hold is reserved for it."""
    candidate: Candidate | None = None
    """The provider link it reserved a hold for, and the worst case that is held."""
    bill: Bill = NOT_SENT
    provider_ms: int = 0
    """How long its call took."""
    call_outcome: str = ""
    """What came of its call: "ok", "length" or a fault; "" without a call."""
    provider_id: str = ""
    """By which the provider knows its answer, where it can be asked for it again."""
    evidence: Evidence = NO_EVIDENCE
    """What its call says of the provider link."""
    probes: bool = False
    """Whether its call is the one that tries a link again after an outage."""
    rate_limits: RateLimits = NOT_STATED
    """The rate limits that the provider stated with its answer."""
    place: CachePlace = field(default=CachePlace(), repr=False)
    cache_entry: CacheEntry | None = field(default=None, repr=False)
    """What to store with the outcome."""
    saved: Saved = NOTHING_SAVED
    samples: tuple[str, ...] = ()
    """Latencies to count when the job is settled or parked (telemetry/samples.py)."""
    audited: str = ""
    """The hash of the prompt that this start wrote to the audit log; "" if it wrote none."""

    @property
    def link(self) -> str:
        """The name of the reserved provider link; "" before a reservation."""
        return self.candidate.link.name if self.candidate else ""

    @property
    def booked_as(self) -> str:
        """The name of the link that its call is booked as."""
        return self.bill.booked_as or self.link

    @property
    def held_micro_usd(self) -> int:
        return self.candidate.micro_usd if self.candidate else 0

    def reserved(self, candidate: Candidate, number: int, probes: bool = False) -> None:
        """A hold is reserved. Until more is known, the provider may bill all of it."""
        self.candidate = candidate
        self.number = number
        self.probes = probes
        self.bill = POSSIBLY_BILLED

    def called(self, outcome: str, provider_ms: int, rate_limits: RateLimits) -> None:
        """The call ended, with an answer or without."""
        self.call_outcome = outcome
        self.provider_ms = provider_ms
        self.rate_limits = rate_limits

    def billed(self, bill: Bill) -> None:
        """The call was answered and cost that."""
        self.bill = bill

    def not_billed(self, sent: bool) -> None:
        """The call failed in a way that no provider bills: the hold is given back."""
        self.bill = NOT_BILLED if sent else NOT_SENT

    def only_its_bill(self) -> "Attempt":
        """The same attempt without what a job can do without. For when that cannot be stored."""
        return replace(self, cache_entry=None, samples=(), rate_limits=NOT_STATED)

    def only_its_hold(self) -> "Attempt":
        """The same attempt as if nothing but its reservation were known. For when what is known
        cannot be stored.
        """
        bare = Attempt(audited=self.audited)
        if self.candidate:
            bare.reserved(self.candidate, self.number)
        return bare

    def spent_so_far(self, job: RunningJob) -> int:
        """How many of them count: not those that found for all jobs that a link is not back."""
        return self.number_so_far(job) - job.probes - self.probed_in_vain

    @property
    def probed_in_vain(self) -> bool:
        """Whether its call tried for all jobs if a link is back, and it is not."""
        return self.probes and self.evidence.says not in ("", "answers")

    def number_so_far(self, job: RunningJob) -> int:
        """How many attempts the job has made, this one included."""
        return self.number or job.attempts

    def cost_usd(self, job: RunningJob) -> float:
        """What the job's answered attempts really cost, this one included."""
        return (job.spent_micro_usd + self.bill.micro_usd) / 1_000_000

    def maybe_billed_usd(self, job: RunningJob) -> float:
        """What the job's attempts may have cost beside that, this one included."""
        return self.possibly_billed_micro_usd(job) / 1_000_000

    def possibly_billed_micro_usd(self, job: RunningJob) -> int:
        """The holds of the job's attempts whose cost is unknown, this one included."""
        if self.bill.kind != "maybe":
            return job.possibly_billed_micro_usd
        return job.possibly_billed_micro_usd + self.held_micro_usd


@dataclass
class Start:
    """One start of a job, from its lease to its settling or parking. Celery's request holds it for
    the task's hooks and the signals.
    """

    job: RunningJob
    attempt: Attempt = field(default_factory=Attempt)
    wait: Wait | None = None
    """How the job is parked once Celery has stored RETRY."""
    ended_ms: int | None = None
    """When it had the job's outcome, by the server's clock."""
