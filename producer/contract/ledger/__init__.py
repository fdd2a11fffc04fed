"""What both sides say to Redis: the shared key dictionary and the texts of the shared scripts. It
never imports redis.

Every key hangs under one root, `<prefix>:{<shard>}:`; the hash tag keeps a shard in one Redis
Cluster slot, so that the scripts, which derive keys from the root they are given, stay legal there.
"""

from dataclasses import dataclass
from importlib import resources

DEFAULT_PREFIX = "cc"


@dataclass(frozen=True)
class SharedKeys:
    """Keys that producers and workers both touch."""

    prefix: str = DEFAULT_PREFIX

    @property
    def root(self) -> str:
        return f"{self.prefix}:{{0}}:"

    def job(self, job_id: str) -> str:
        """Hash: state, user, lane and counters of one job. No TTL until its outcome. Written by the
        scripts only.
        """
        return f"{self.root}j:{job_id}"

    def request(self, job_id: str) -> str:
        """String: the request as JSON. Written by submit, read by begin, deleted at the job's end."""
        return f"{self.root}q:{job_id}"

    def continuation(self, job_id: str) -> str:
        """String: Celery's links, chain, chord and group ids as JSON; absent for a plain job. TTL
        as the outcome.
        """
        return f"{self.root}h:{job_id}"

    def outcome(self, job_id: str) -> str:
        """String: the completion or the error as JSON, TTL = result_expires. Written by settle,
        read by `Job.value`.
        """
        return f"{self.root}o:{job_id}"

    def waiting(self, lane: str, user_id: str) -> str:
        """List: ids of a user's waiting jobs of a lane, oldest first; cancelled ones are passed
        over.
        """
        return f"{self.root}w:{lane}:{user_id}"

    def ring(self, lane: str, link: str = "") -> str:
        """Sorted set: users below their caps whose line waits for its turn, or for room at `link`,
        by virtual time.
        """
        return f"{self.root}ring:{lane}:{link}" if link else f"{self.root}ring:{lane}"

    def gone(self, lane: str, link: str = "") -> str:
        """Sorted set: users outside the ring whose virtual time is ahead of the ring's; trimmed by
        the sweep.
        """
        return f"{self.root}gone:{lane}:{link}" if link else f"{self.root}gone:{lane}"

    @property
    def gates(self) -> str:
        """Set: links that lines wait for. Written by release and sweep."""
        return f"{self.root}gates"

    @property
    def gated(self) -> str:
        """Hash: "<lane>:<user>" -> the link that line waits for."""
        return f"{self.root}gated"

    @property
    def numbers(self) -> str:
        """Hash: "<lane>:<user>" -> how many have joined that line since it was last empty."""
        return f"{self.root}num"

    @property
    def in_flight(self) -> str:
        """Hash: user -> released and running jobs; no field at 0."""
        return f"{self.root}inf"

    @property
    def group_in_flight(self) -> str:
        """Hash: group -> released and running jobs of its members; no field at 0."""
        return f"{self.root}infg"

    def bench(self, group: str) -> str:
        """Sorted set: users who wait for their group's cap, in the order in which they began to."""
        return f"{self.root}bench:{group}"

    @property
    def benches(self) -> str:
        """Set: groups with somebody on the bench."""
        return f"{self.root}benches"

    def limits(self, kind: str, name: str) -> str:
        """Hash: limits of one user, group or the fleet that are not the settings'. Written by
        `completions limits`.
        """
        return f"{self.root}lim:{kind}:{name}"

    @property
    def limited(self) -> str:
        """Set: "<kind>:<name>" of everybody with limits of their own. Written by `completions
        limits`.
        """
        return f"{self.root}limited"

    @property
    def open(self) -> str:
        """Sorted set: exactly the released and running jobs, by the time (ms) of their next look."""
        return f"{self.root}open"

    @property
    def parked(self) -> str:
        """Sorted set: jobs waiting out a time, by when they are due (ms)."""
        return f"{self.root}park"

    @property
    def deadlines(self) -> str:
        """Sorted set: unfinished jobs that have a deadline, by it (ms)."""
        return f"{self.root}dl"

    @property
    def config(self) -> str:
        """Hash: release target, lives, share and cap, written by the beat; virtual times of the
        lanes.
        """
        return f"{self.root}cfg"

    def slot(self, number: int) -> str:
        """Hash: what happened in ten seconds of the epoch ("n|<event>", "l|...", "c|...":
        telemetry/metrics.py). TTL 70 min.
        """
        return f"{self.root}obs:{number}"

    def hour(self, number: int) -> str:
        """Hash: the same of an hour of the epoch. TTL 48 h."""
        return f"{self.root}obh:{number}"

    @property
    def totals(self) -> str:
        """Hash: the same since the beginning."""
        return f"{self.root}tot"

    @property
    def cooling(self) -> str:
        """Sorted set: links left alone after a failure, by when that ends (ms). Written by park and
        settle.
        """
        return f"{self.root}cooling"

    @property
    def sequence(self) -> str:
        """Hash: release numbers given and highest begun, per lane; numbers given on benches."""
        return f"{self.root}seq"

    def usage(self, day: int) -> str:
        """Hash: [user, group, link, tags] as JSON -> sums of a UTC day (number). TTL
        `LLM_USAGE_DAYS`. Written by scripts.
        """
        return f"{self.root}use:{day}"

    def idempotency(self, user_id: str, name: str) -> str:
        """String: the job that a user's idempotency key stands for, TTL 24 h. Written and read by
        submit.
        """
        return f"{self.root}ik:{user_id}:{name}"

    def dead_letter(self, job_id: str) -> str:
        """Hash: a failed job's request, outcome and history, TTL `LEDGER_DEAD_LETTER_SECONDS`.
        Written by finish.
        """
        return f"{self.root}d:{job_id}"

    @property
    def dead(self) -> str:
        """Sorted set: ids of dead letters by when they ended (ms)."""
        return f"{self.root}dead"

    def batch(self, batch_id: str) -> str:
        """Hash: user, label, state, retention and counters of one batch. No TTL until it is done.
        Written by the scripts.
        """
        return f"{self.root}b:{batch_id}"

    def batch_staged(self, batch_id: str) -> str:
        """List: ids of items that were not fed into their line yet; those that ended meanwhile are
        passed over.
        """
        return f"{self.root}bw:{batch_id}"

    def batch_live(self, batch_id: str) -> str:
        """Set: ids of items that were fed and have not ended."""
        return f"{self.root}bl:{batch_id}"

    def batch_ended(self, batch_id: str) -> str:
        """List: ids of items in the order in which they ended. Life as the batch."""
        return f"{self.root}be:{batch_id}"

    def batch_tries(self, batch_id: str) -> str:
        """Hash: item -> how often it was tried again. Life as the batch."""
        return f"{self.root}br:{batch_id}"

    @property
    def batches(self) -> str:
        """Sorted set: batches by when they were opened (ms); each new one drops old ones that are
        kept no longer.
        """
        return f"{self.root}batches"

    @property
    def ending_batches(self) -> str:
        """Set: cancelled batches with staged items left. Written by cancel and sweep."""
        return f"{self.root}bends"

    def document(self, sha: str) -> str:
        """String: a document's text. TTL 1 h until a job needs it, 10 min after the last that does.
        Written by a producer.
        """
        return f"{self.root}doc:{sha}"

    @property
    def documents(self) -> str:
        """Hash: document -> how many unfinished jobs need it. Written by submit and finish."""
        return f"{self.root}docs"

    def followers(self, what: str) -> str:
        """List: parked jobs to wake when `what` ("job:<id>", "budget:<name>", "link:<name>",
        "parts:<id>") moves.
        """
        return f"{self.root}f:{what}"


def script(name: str) -> str:
    """The full text of a shared script: the common part, then its own. `KeyError`-free: a missing
    file is a packaging bug.
    """
    return common() + _read(f"{name}.lua")


def common() -> str:
    """The functions every ledger script starts with."""
    return "".join(_read(f"{name}.lua") for name in ("common", "pace", "lanes", "batches", "money"))


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
