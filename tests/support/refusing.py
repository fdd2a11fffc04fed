"""Servers that come to refuse, each in another way, and are mended."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis
from support.ledger import until

from worker.embedded import EmbeddedValkey


@dataclass(frozen=True)
class Trouble:
    """How a server comes to refuse, and how it is mended. `said`: its words in every message."""

    said: str
    begin: Callable[["Server"], None]
    end: Callable[["Server"], None]


class Server(EmbeddedValkey):
    """With a user for us that no trouble reaches, and one for everyone else."""

    def __init__(self, folder):
        super().__init__(folder, options=("--enable-protected-configs", "yes"))

    def __enter__(self):
        super().__enter__()
        with Redis(port=self.port) as redis:
            for user, word in (("admin", "admin"), ("app", "first")):
                rules = ("on", f">{word}", "~*", "&*", "+@all")
                redis.execute_command("ACL", "SETUSER", user, *rules)
            redis.config_set("save", "3600 1000000")
        self.admin = Redis(port=self.port, username="admin", password="admin")
        return self

    def __exit__(self, *exc):
        self.admin.close()
        super().__exit__(*exc)

    def app_url(self):
        return f"redis://app:first@127.0.0.1:{self.port}/0"

    def acl(self, *rules):
        self.admin.execute_command("ACL", "SETUSER", "app", *rules)
        with contextlib.suppress(Exception):
            self.admin.execute_command("CLIENT", "KILL", "USER", "app")

    def save_in(self, folder):
        self.admin.config_set("dir", str(folder))
        self.admin.bgsave()
        until(lambda: not self.admin.info("persistence")["rdb_bgsave_in_progress"])

    def set(self, **settings):
        for name, value in settings.items():
            self.admin.config_set(name.replace("_", "-"), value)


def fill(server):
    """Far over what it may take: buffers of clients that come and go make no room for a write."""
    for number in range(40):
        server.admin.setrange(f"filling:{number}", 50_000, "x")
    server.set(maxmemory=server.admin.info("memory")["used_memory"] - 1_000_000)


def unfill(server):
    server.set(maxmemory=0)
    server.admin.delete(*server.admin.keys("filling:*"))


def few_clients(server):
    server.set(maxclients=1)
    server.admin.execute_command("CLIENT", "KILL", "USER", "app")


TROUBLES = {
    "memory": Trouble("its memory is full (OOM)", fill, unfill),
    "disk": Trouble(
        "it cannot write to its disk (MISCONF)",
        lambda server: server.save_in("/proc/1"),
        lambda server: server.save_in(server.folder),
    ),
    "replica": Trouble(
        "it is a replica (READONLY)",
        lambda server: server.admin.replicaof("127.0.0.1", 1),
        lambda server: server.admin.replicaof("NO", "ONE"),
    ),
    "replica without data": Trouble(
        "it is a replica",
        lambda server: [
            server.set(replica_serve_stale_data="no"),
            server.admin.replicaof("127.0.0.1", 1),
        ],
        lambda server: server.admin.replicaof("NO", "ONE"),
    ),
    "too few replicas": Trouble(
        "too few replicas follow it (NOREPLICAS)",
        lambda server: server.set(min_replicas_to_write=1),
        lambda server: server.set(min_replicas_to_write=0),
    ),
    "rights": Trouble(
        "its user may not do that (NOPERM)",
        lambda server: server.acl("-@write", "-fcall"),
        lambda server: server.acl("+@all"),
    ),
    "password": Trouble(
        "it refuses the password (WRONGPASS)",
        lambda server: server.acl("resetpass", ">second"),
        lambda server: server.acl("resetpass", ">first"),
    ),
    "connections": Trouble(
        "it has no connection left (MAXCLIENTS)",
        few_clients,
        lambda server: server.set(maxclients=10_000),
    ),
}
