"""The ledger's facade: every state change of a job is one script call here. It decides nothing and
publishes nothing.

Redis down: reading a job raises; ending or parking one is tried again for `PATIENCE_S`, because the
answer is paid for. Methods that free or add work return the publications the ledger orders; the
caller puts them on the broker.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from producer.contract.completions import Completion
from producer.contract.names import WIRE_VERSION, Lane
from producer.contract.outcome import Outcome, dump_outcome, load_outcome
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Publication, Submission

from ..faults import LeaseLost
from ..settings import LaneSettings, LedgerSettings, PaceSettings
from .attempt import Attempt, Candidate
from .calls import Dropped, Ended, Ending, Missing, Reserved, Submitted, Wait
from .connection import ERRORS, Keys, Redis
from .running_job import RunningJob
from .scripts import Scripts

PARTS_AT_ONCE = 200
REMEMBERED = 2_000
REPLAY_S = 60.0
"""Settles younger than this are sent again to a server that restarted: the second it may have lost,
and the time it was away.
"""

QUIET_MS = 1_500
"""Room for a slow trip, and for a server that counts its age in whole seconds."""

PATIENCE_S = 60.0
"""How long an outcome is held in memory while Redis is away, before the lease is left to lapse."""


class Ledger:
    """The only caller of the ledger's job scripts."""

    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        settings: LedgerSettings,
        owner: str,
        lanes: LaneSettings | None = None,
        pace: PaceSettings | None = None,
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._scripts = Scripts(redis, keys.root)
        self._settings = settings
        self._owner = owner
        self._lanes = lanes or LaneSettings()
        self._pace = pace or PaceSettings()
        self._lease_ms = int(settings.lease_s * 1000)
        # Leases, and with them settles after a restart, are renewed five times as often as they
        # lapse.
        self._quiet_ms = self._lease_ms // 5 + QUIET_MS
        self._settled: deque[tuple[float, tuple[str | int, ...]]] = deque(maxlen=REMEMBERED)
        self._server = ""

    def submit(self, submission: Submission, retry_while_away: bool = False) -> Submitted:
        """Store a job unless it is there.

        `retry_while_away`: tried again for `PATIENCE_S` while Redis is away, because it would not
        be sent a second time.
        """
        give_up_s = PATIENCE_S if retry_while_away else 0.0
        state, job_id, _, *publications = insist(
            lambda: self._scripts("submit", *submission.argv()), give_up_s
        )
        return Submitted(state, job_id, Publication.parse(publications))

    def submit_parts(
        self, job: RunningJob, parts: dict[str, CompletionRequest]
    ) -> list[Publication]:
        """Submit each request as a part of `job`, unless it is there; what to publish."""
        made = [
            Submission(job_id, job.user_id, request, {}, parent=job.id)
            for job_id, request in parts.items()
        ]
        publications: list[Publication] = []
        for start in range(0, len(made), PARTS_AT_ONCE):
            argv = [value for each in made[start : start + PARTS_AT_ONCE] for value in each.argv()]
            reply = self._scripts("submit", *argv)
            publications += Publication.parse(reply[reply.index("|") + 1 :])
        return publications

    def start(self, job_id: str) -> RunningJob | Ended | Dropped | Missing:
        """Take the lease of a released job.

        Waits out the quiet time after a start of the server.
        """
        argv = (
            job_id,
            self._owner,
            self._lease_ms,
            self._settings.deliveries,
            self._quiet_ms,
            WIRE_VERSION,
        )
        while (reply := self._scripts("begin", *argv))[0] == "early":
            time.sleep(reply[1] / 1000)
        kind, *reply = reply
        if kind == "go":
            return _started(job_id, reply)
        if kind == "ended":
            return Ended(load_outcome(reply[0]), reported=bool(reply[1]))
        return Missing() if kind == "missing" else Dropped(reply[0])

    def settle(
        self,
        job: RunningJob,
        attempt: Attempt,
        outcome: Outcome,
        fault: str = "",
        cool_s: float = 0.0,
    ) -> Ending:
        """End the job, book the attempt's bill and store its cache entry, in one step."""
        state = "done" if isinstance(outcome, Completion) else "failed"
        bill = attempt.bill
        argv = (
            job.id,
            job.fence,
            state,
            dump_outcome(outcome),
            fault,
            bill.kind,
            bill.micro_usd,
            bill.tokens,
            int(cool_s * 1000),
            str(attempt.allowance),
            *(attempt.cache_entry or ("", "", 0)),
            bill.output_tokens,
        )
        ending = self._insist("settle", *argv)
        self._settled.append((time.monotonic(), argv))
        return ending

    def replay(self) -> int:
        """After a restart of the server, settle again what was settled shortly before: `appendfsync
        everysec` may have lost it.

        Returns how many. Settling twice changes nothing, so it may be done too often, but not too
        late: a job whose end was lost is payable again.
        """
        before, self._server = self._server, str(self._redis.info("server")["run_id"])
        if before in ("", self._server):
            return 0
        recent = [argv for at, argv in list(self._settled) if time.monotonic() - at < REPLAY_S]
        for argv in recent:
            self._scripts("settle", *argv)
        return len(recent)

    def park(self, job: RunningJob, attempt: Attempt, wait: Wait) -> Ending:
        """Give the lease back until the wait is over; books the attempt's bill in the same step."""
        bill = attempt.bill
        return self._insist(
            "park",
            job.id,
            job.fence,
            int(wait.after_s * 1000),
            wait.fault,
            bill.kind,
            bill.micro_usd,
            bill.tokens,
            int(wait.cool_s * 1000),
            str(attempt.allowance),
            wait.wakes_on,
            int(wait.crashed),
            int(wait.double_max_tokens),
            int(wait.restart_clock),
            bill.output_tokens,
            attempt.audited,
        )

    def reserve(self, job: RunningJob, limits: list[int], candidates: list[Candidate]) -> Reserved:
        """Write intent and hold for the first candidate that is not cooling and has room at its
        pace.

        `limits`: the settings' (tokens per hour, requests per minute and micro-dollars per day of a
        user, micro-dollars per day of the fleet); -1 = none. Raises `LeaseLost` if the job is no
        longer ours.
        """
        flat: list[str | int] = []
        for each in candidates:
            flat += (
                each.link.name,
                each.micro_usd,
                each.tokens,
                *(limit or -1 for limit in self._pace.of(each.link)),
            )
        verdict, *reply = self._scripts("attempt", job.id, job.fence, *limits, *flat)
        match verdict:
            case "lost":
                raise LeaseLost(job.id)
            case "go":
                return Reserved("go", *reply)
            case "cooling" | "paced":
                wait_ms, wakes_on = reply
                return Reserved(verdict, wait_ms=wait_ms, wakes_on=wakes_on)
            case "over":
                limit, allowed, used, held, asked, fits_in_ms = reply
                return Reserved("over", 0, 0, 0, "", limit, allowed, used, held, asked, fits_in_ms)
            case "held":
                limit, allowed, used, held, asked, _, wakes_on = reply
                return Reserved("held", 0, 0, 0, wakes_on, limit, allowed, used, held, asked)
        return Reserved("cancelled")

    def budget_left(self, job: RunningJob, limits: list[int]) -> tuple[int, str]:
        """Micro-dollars that the job's budgets leave now (-1: no limit), and which of them is the
        tightest.
        """
        micro, name = self._scripts("left", job.id, *limits)
        return micro, name

    def renew(self, held: list[tuple[str, int]]) -> tuple[list[str], list[str]]:
        """Extend the leases of (id, fence) pairs. Returns the ids lost and the ids to
        cancel.
        """
        flat = [value for pair in held for value in pair]
        reply = self._scripts("renew", self._lease_ms, *flat)
        border = reply.index("|")
        return reply[:border], reply[border + 1 :]

    def outcome(self, job_id: str) -> Outcome | None:
        """How the job ended, or None if it has not, or is forgotten."""
        text = self._redis.get(self._keys.outcome(job_id))
        return load_outcome(str(text)) if text else None

    def agree(self, job: RunningJob, name: str, proposed: tuple[int, ...]) -> tuple[int, ...]:
        """Numbers on which all starts of a job agree: those that were proposed first."""
        with self._redis.pipeline() as pipe:
            pipe.hsetnx(self._keys.job(job.id), name, ":".join(map(str, proposed)))
            pipe.hget(self._keys.job(job.id), name)
            return tuple(map(int, str(pipe.execute()[1]).split(":")))

    def outcomes(self, job_ids: list[str]) -> list[Outcome | None]:
        """Like `outcome`, of several."""
        texts: list[Any] = self._redis.mget([self._keys.outcome(job_id) for job_id in job_ids])
        return [load_outcome(text) if text else None for text in texts]

    def document(self, sha: str) -> str | None:
        """A stored text."""
        text = self._redis.get(self._keys.document(sha))
        return None if text is None else str(text)

    def mark_reported(self, job_id: str) -> None:
        """Note that the result backend knows the outcome."""
        self._scripts("tell", job_id)

    def cancel(self, job_id: str) -> tuple[str, list[Publication]]:
        """Cancel a job, now if it waits, soon if it runs.

        Returns "cancelled", "cancelling", the state it ended in before, or "missing".
        """
        state, *publications = self._scripts("cancel", job_id)
        return state, Publication.parse(publications)

    def sweep(self, limit: int, empty: dict[Lane, bool]) -> tuple[float, list[Publication]]:
        """Promote what is due, re-queue what lapsed, expire, release. `empty`: lanes whose broker
        queue is empty.

        Also returns the seconds until a link has room for jobs that wait for that; infinite if none
        does.
        """
        lanes = int(empty["interactive"]), int(empty["batch"])
        rules = self._settings.on_unknown, self._quiet_ms
        room_ms, *publications = self._scripts(
            "sweep", limit, self._settings.deliveries, *lanes, *rules
        )
        return room_ms / 1000 if room_ms >= 0 else math.inf, Publication.parse(publications)

    def heartbeat(self, worker: str, slots: int, life_s: float) -> None:
        """Report that `worker` has `slots` slots for `life_s` more seconds; none: it leaves."""
        lives = self._settings.result_expires_s * 1000, self._settings.dead_letter_s * 1000
        lanes = str(self._lanes.batch_share), self._lanes.user_in_flight or 0
        clock_ms = int(datetime.now(UTC).timestamp() * 1000)
        self._scripts(
            "beat",
            worker,
            slots,
            int(life_s * 1000),
            *lives,
            *lanes,
            clock_ms,
            self._settings.usage_days * 86_400_000,
        )

    def _insist(self, script: str, *argv: str | int) -> Ending:
        state, *publications = insist(lambda: self._scripts(script, *argv))
        return Ending(state, Publication.parse(publications))


def insist(call: Callable[[], list[Any]], patience_s: float = PATIENCE_S) -> list[Any]:
    """Repeat `call` while Redis is away, for `patience_s`; then raise its last error."""
    give_up = time.monotonic() + patience_s
    wait = 0.1
    while True:
        try:
            return call()
        except ERRORS:
            if time.monotonic() + wait > give_up:
                raise
        time.sleep(wait)
        wait = min(wait * 2, 2.0)


def _started(job_id: str, reply: list[Any]) -> RunningJob:
    """From what begin.lua replies after 'go'."""
    (
        fence,
        request,
        user,
        lane,
        submitted,
        now,
        deadline,
        spent,
        possibly,
        attempts,
        tried,
        doubled,
        first,
        audited,
    ) = reply
    history = (item.rpartition("=") for item in tried.split(";") if item)
    return RunningJob(
        id=job_id,
        fence=fence,
        request=CompletionRequest.model_validate_json(request),
        user_id=user,
        lane=lane,
        submitted_ms=submitted,
        started_ms=now,
        deadline_ms=deadline,
        first_started_ms=first,
        spent_micro_usd=spent,
        possibly_billed_micro_usd=possibly,
        attempts=attempts,
        tried=tuple((link, fault) for link, _, fault in history),
        double_max_tokens=bool(doubled),
        audited=audited,
    )
