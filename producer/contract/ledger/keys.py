"""The keys that producers read. Every key hangs under one root, `<prefix>:{0}:`; its hash tag keeps
the ledger in one slot of Redis Cluster, so that functions may derive keys from the root.

`lua/keys.lua` names them all; `docs/redis-keys.md` says what each holds.
"""

from dataclasses import dataclass

DEFAULT_PREFIX = "cc"


@dataclass(frozen=True)
class LedgerKeys:
    """Of one fleet, which its prefix names."""

    prefix: str = DEFAULT_PREFIX
    is_broker: bool = False
    """Whether the ledger's server is the broker, too: then its functions publish ids themselves."""

    @property
    def root(self) -> str:
        """The beginning of every key."""
        return f"{self.prefix}:{{0}}:"

    @property
    def of_calls(self) -> tuple[str, ...]:
        """What each function is called with. The second one is never written: it says that queues
        are here, too.
        """
        return (self.root, f"{self.root}broker") if self.is_broker else (self.root,)

    def job(self, job_id: str) -> str:
        """Hash: state, user, lane and counters of one job. No TTL until its outcome."""
        return f"{self.root}j:{job_id}"

    def outcome(self, job_id: str) -> str:
        """String: the completion or the error as JSON. TTL = result_expires."""
        return f"{self.root}o:{job_id}"

    def ended(self, job_id: str) -> str:
        """Channel: says that the outcome is there, and not what it is."""
        return f"{self.root}ended:{job_id}"

    @property
    def batches(self) -> str:
        """Sorted set: batches by when they were opened (ms)."""
        return f"{self.root}batches"

    def batch_ended(self, batch_id: str) -> str:
        """List: ids of a batch's items in the order in which they ended. Life as the batch."""
        return f"{self.root}be:{batch_id}"

    def batch_tries(self, batch_id: str) -> str:
        """Hash: item -> how often it was tried again. Life as the batch."""
        return f"{self.root}br:{batch_id}"
