"""Every private key of the worker: one method, one docstring (type, TTL, writer, readers). Shared
ones come from the contract.
"""

from producer.contract.ledger import SharedKeys


class Keys(SharedKeys):
    """The worker's dictionary of Redis keys. `docs/redis-keys.md` repeats it, and a test compares
    them with a live server.
    """

    def budget(self, *name: str) -> str:
        """Hash: h held, u<slot> spent, m<slot> possibly billed; TTL window + 2 days. Written by the
        scripts.
        """
        return f"{self.root}bud:{':'.join(name)}"

    def cooldown(self, link: str) -> str:
        """String: the fault a link is left alone for, TTL = the rest of it. Set by park and settle."""
        return f"{self.root}cool:{link}"

    def cached(self, generations: str, namespace: str, content: str) -> str:
        """String: "fresh until ms;made ms;tags;user;completion JSON", TTL = stale life. Written by
        settle, read by lookup.
        """
        return f"{self.root}c:{generations}:{namespace}:{content}"

    def flight(self, generations: str, namespace: str, content: str) -> str:
        """String: id of the job that answers for all identical ones, TTL 1 day. Written and read by
        lookup.
        """
        return f"{self.root}sf:{generations}:{namespace}:{content}"

    @property
    def cache_generations(self) -> str:
        """Hash: "all" and "ns:<namespace>": a bust adds 1; "tag:<tag>": when it was busted (ms).
        Older entries hide. No TTL.
        """
        return f"{self.root}cgen"

    def pace(self, link: str) -> str:
        """Hash: a link's limits, rooms, rate after a 429, calls at once and probe; TTL 7 days.
        Written by the scripts.
        """
        return f"{self.root}pace:{link}"

    @property
    def workers(self) -> str:
        """Sorted set: live workers by the end of their heartbeat (ms). Written by beat."""
        return f"{self.root}wk"

    @property
    def slots(self) -> str:
        """Hash: worker -> concurrency. Written by beat."""
        return f"{self.root}slots"

    @property
    def hash_key(self) -> str:
        """String: the fleet's HMAC key for prompt hashes, made by the first worker. No TTL."""
        return f"{self.root}hk"

    @property
    def alerts(self) -> str:
        """Hash: "<finding>|<about>" -> since when it fires and who was told, as JSON. Written by
        alerts.
        """
        return f"{self.root}alerts"

    @property
    def watch(self) -> str:
        """String: somebody looks for alerts, or has in this period; TTL the rest of it, at most 60
        s.
        """
        return f"{self.root}watch"

    @property
    def skews(self) -> str:
        """Hash: worker -> milliseconds that its clock is ahead of the server's. Written by beat."""
        return f"{self.root}skew"

    def audit_entries(self, job_id: str) -> str:
        """List, on the audit log's server: what was asked and answered, sealed. TTL
        `LLM_AUDIT_DAYS`. Written by audit.
        """
        return f"{self.root}audit:{job_id}"

    def audit_jobs(self, user_id: str) -> str:
        """Sorted set, there: a user's jobs by their latest entry (ms). TTL `LLM_AUDIT_DAYS`.
        Written by audit.
        """
        return f"{self.root}audit-of:{user_id}"

    @property
    def audit_looks(self) -> str:
        """Stream, there: who opened or erased what, when and why; 400 days. Written by trail."""
        return f"{self.root}audit-looks"
