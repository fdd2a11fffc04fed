"""The keys that workers and operators read beside those of the contract. The rest are the ledger
functions' alone: `producer/contract/ledger/lua/keys.lua`.
"""

from producer.contract.ledger.keys import LedgerKeys


class Keys(LedgerKeys):
    """`docs/redis-keys.md` says what each key of the ledger holds."""

    def waiting(self, lane: str, user_id: str) -> str:
        """List: ids of a user's waiting jobs of a lane, oldest first."""
        return f"{self.root}w:{lane}:{user_id}"

    @property
    def slots(self) -> str:
        """Hash: live worker -> its slots."""
        return f"{self.root}slots"

    @property
    def in_flight(self) -> str:
        """Hash: user -> released and running jobs; no field at 0."""
        return f"{self.root}inf"

    @property
    def group_in_flight(self) -> str:
        """Hash: group -> released and running jobs of its members; no field at 0."""
        return f"{self.root}infg"

    def limits(self, kind: str, name: str) -> str:
        """Hash: limits of one user, group or the fleet that are not the settings'."""
        return f"{self.root}lim:{kind}:{name}"

    @property
    def limited(self) -> str:
        """Set: "<kind>:<name>" of all with limits of their own."""
        return f"{self.root}limited"

    @property
    def open(self) -> str:
        """Sorted set: the released and running jobs, by the time (ms) of their next look."""
        return f"{self.root}open"

    @property
    def config(self) -> str:
        """Hash: release target, settings of the fleet, virtual times, the last slot added up."""
        return f"{self.root}cfg"

    def slot(self, number: int) -> str:
        """Hash: what happened in ten seconds of the epoch (telemetry/metrics.py). TTL 70 min."""
        return f"{self.root}obs:{number}"

    def hour(self, number: int) -> str:
        """Hash: the same of an hour of the epoch. TTL 48 h."""
        return f"{self.root}obh:{number}"

    @property
    def totals(self) -> str:
        """Hash: the same since the beginning."""
        return f"{self.root}tot"

    def usage(self, day: int) -> str:
        """Hash: [user, group, link, tags] as JSON -> sums of a UTC day. TTL `LLM_USAGE_DAYS`."""
        return f"{self.root}use:{day}"

    def dead_letter(self, job_id: str) -> str:
        """Hash: a failed job's request and history. TTL `LEDGER_DEAD_LETTER_SECONDS`."""
        return f"{self.root}d:{job_id}"

    @property
    def dead(self) -> str:
        """Sorted set: ids of dead letters by when they ended (ms)."""
        return f"{self.root}dead"

    @property
    def possible_bills(self) -> str:
        """Sorted set: calls that may have been billed, as JSON, by time. 40 days."""
        return f"{self.root}maybe"

    @property
    def forgiven(self) -> str:
        """List: who took which of them off the books and why, as JSON, latest first. 400 days."""
        return f"{self.root}forgiven"

    @property
    def usages(self) -> str:
        """The beginning of all days' usage."""
        return f"{self.root}use:"

    def stored_text(self, sha: str) -> str:
        """String: a document, or a large part of requests. TTL 1 h until a job needs it."""
        return f"{self.root}doc:{sha}"

    @property
    def cached(self) -> str:
        """The beginning of all strings with cached answers. TTL = their stale life."""
        return f"{self.root}c:"

    @property
    def cache_generations(self) -> str:
        """Hash: "all" and "ns:<namespace>": a bust adds 1; "tag:<tag>": when it was (ms)."""
        return f"{self.root}cgen"

    def near_entries(self, scope: str) -> str:
        """Hash: entry -> a question whose answer is cached, with its vector. TTL as the cache."""
        return f"{self.root}se:{scope}"

    def near_order(self, scope: str) -> str:
        """Sorted set: entries of a scope by when they came."""
        return f"{self.root}so:{scope}"

    def near_counts(self, scope: str) -> str:
        """Hash: what is known of a scope's near questions. 90 days."""
        return f"{self.root}sc:{scope}"

    def near_own(self, scope: str, entry: str) -> str:
        """Hash: what is known of one near question, and verdicts by pair. 90 days."""
        return f"{self.root}sn:{len(scope.encode())}:{scope}:{entry}"

    @property
    def near_scopes(self) -> str:
        """Sorted set: scopes of near questions by when they were last used (ms)."""
        return f"{self.root}sscopes"

    @property
    def hash_key(self) -> str:
        """String: the fleet's HMAC key for prompt hashes, made by the first worker. No TTL."""
        return f"{self.root}hk"

    @property
    def alerts(self) -> str:
        """Hash: "<finding>|<about>" -> since when it fires, as JSON."""
        return f"{self.root}alerts"

    @property
    def told(self) -> str:
        """Hash: "<target>|<finding>|<about>" -> since when the alert fires that it was told."""
        return f"{self.root}told"

    def telling(self, target: str) -> str:
        """String: one process tells this target what is new; TTL 30 s."""
        return f"{self.root}telling:{target}"

    @property
    def watch(self) -> str:
        """String: one process looks for alerts in this period; TTL the rest of it."""
        return f"{self.root}watch"

    def audit_entries(self, job_id: str) -> str:
        """List, on the audit log's server: sealed entries. TTL `LLM_AUDIT_DAYS`."""
        return f"{self.root}audit:{job_id}"

    def audit_jobs(self, user_id: str) -> str:
        """Sorted set, there: a user's jobs by their latest entry (ms). TTL `LLM_AUDIT_DAYS`."""
        return f"{self.root}audit-of:{user_id}"

    @property
    def audit_accesses(self) -> str:
        """Stream, there: who opened or erased what, when and why; 400 days."""
        return f"{self.root}audit-accesses"

    def batch(self, batch_id: str) -> str:
        """Hash: state and counters of one batch. No TTL until it is done."""
        return f"{self.root}b:{batch_id}"
