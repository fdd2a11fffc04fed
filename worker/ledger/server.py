"""What a Redis server says of itself, and why it cannot be a fleet's.

INFO has it all, also where a managed service has no CONFIG; a service or a user without INFO says
nothing, and has to be looked at by hand.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

NEEDED = "Redis 7 or Valkey 7.2, or newer"
LEAST = 7


class Server(NamedTuple):
    """Fields of INFO. What a server does not tell is as in one that is well."""

    name: str
    version: str
    """Of that program: others than Redis tell another one as `redis_version`."""
    compatible: int
    """The Redis whose commands it has."""
    in_cluster: bool
    policy: str
    """What it forgets when its memory is full."""
    memory: int
    """Bytes that it may use; 0: all there are."""
    appends: bool
    """Whether it writes an append-only file."""

    @classmethod
    def of(cls, info: dict[str, Any]) -> Self:
        said = {name: str(value) for name, value in info.items()}
        compatible = said.get("redis_version", str(LEAST))
        name, version = "Redis", compatible
        if "dragonfly_version" in said:
            name, version = "Dragonfly", said["dragonfly_version"]
        elif "mvcc_depth" in said or said.get("executable", "").endswith("keydb-server"):
            name = "KeyDB"
        elif "valkey_version" in said:
            name, version = "Valkey", said["valkey_version"]
        major = compatible.partition(".")[0]
        return cls(
            name,
            version,
            int(major) if major.isdecimal() else LEAST,
            said.get("cluster_enabled") == "1" or said.get("redis_mode") == "cluster",
            said.get("maxmemory_policy", "noeviction"),
            int(said.get("maxmemory", 0)),
            said.get("aof_enabled", "1") != "0",
        )

    def cannot_serve(self) -> Iterator[str]:
        """Why it is no server for anything of ours, each with its fix."""
        if self.in_cluster:
            yield (
                "it is a node of a Redis Cluster, for which Celery has no broker and no result "
                "backend. Fix: name a server outside a cluster"
            )

    def cannot_keep_jobs(self) -> Iterator[str]:
        """Why it can be no ledger."""
        if self.name in ("Dragonfly", "KeyDB"):
            fix = f"use {NEEDED}"
            yield f"it is {self.name} {self.version}, which has no functions. Fix: {fix}"
        elif self.compatible < LEAST:
            yield f"it is {self.name} {self.version}; {NEEDED} is needed. Fix: use a newer server"
        if self.evicts and self.memory:
            yield (
                f"its memory is {self.memory:,} bytes, and its maxmemory-policy is "
                f"{self.policy}: it would forget jobs that are paid for. {_TO_KEEP}"
            )

    @property
    def evicts(self) -> bool:
        return self.policy != "noeviction"

    def can_lose_jobs(self) -> Iterator[str]:
        """What makes it an unsafe ledger."""
        if self.evicts:
            yield (
                f"UNSAFE_LEDGER: maxmemory-policy is {self.policy}: an evicted key is a lost job. "
                f"{_TO_KEEP}"
            )
        if not self.appends:
            yield (
                "UNSAFE_LEDGER: no append-only file: a restart forgets every job. "
                "Fix: CONFIG SET appendonly yes"
            )


_TO_KEEP = (
    "Fix: CONFIG SET maxmemory-policy noeviction (a managed service has it among its parameters)"
)
