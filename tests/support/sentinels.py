"""A primary, its replica, and the Sentinel that promotes it: three processes of one binary."""

import contextlib
from pathlib import Path
from typing import Self

from redis import ConnectionError, Redis
from support import acl
from support.ledger import until

from worker.embedded import EmbeddedValkey, free_port

NAME = "ledger"


class Sentinel(EmbeddedValkey):
    """Alone, so that it decides alone; two seconds of silence are death to it."""

    def __init__(self, folder: Path, primary: int, login: bool = True) -> None:
        super().__init__(folder)
        self._primary, self._login = primary, login

    def wait_ready(self, timeout_s: float = 10.0) -> None:
        until(self._answers, timeout_s)

    def _answers(self) -> bool:
        with Redis.from_url(self.url(), retry=None) as redis, contextlib.suppress(ConnectionError):
            return bool(redis.ping())
        return False

    def _arguments(self) -> list[str]:
        file = self.folder / "sentinel.conf"
        if not file.exists():  # it keeps there what it has learnt
            lines = [f"port {self.port}", "bind 127.0.0.1", f"dir {self.folder.resolve()}"]
            lines += [f"sentinel monitor {NAME} 127.0.0.1 {self._primary} 1"]
            if self._login:
                lines += [
                    f"sentinel auth-user {NAME} sentinel",
                    f'sentinel auth-pass {NAME} "{acl.password("sentinel")}"',
                ]
            lines += [
                f"sentinel down-after-milliseconds {NAME} 2000",
                f"sentinel failover-timeout {NAME} 3000",
            ]
            file.write_text("\n".join(lines) + "\n")
        return [str(file.resolve()), "--sentinel"]


class Watched:
    """Context manager.

    `primary` and `replica`: what they are before a failover. All log in as shipped users.
    """

    def __init__(self, folder: Path) -> None:
        self.primary = EmbeddedValkey(folder / "primary")
        options = ["--replicaof", "127.0.0.1", str(self.primary.port), "--masteruser", "replica"]
        self.replica = EmbeddedValkey(
            folder / "replica", options=[*options, "--masterauth", acl.password("replica")]
        )
        self.sentinel = Sentinel(folder / "sentinel", self.primary.port)

    def url(self, user: str) -> str:
        """The first of its two Sentinels is dead."""
        addresses = f"sentinel://127.0.0.1:{free_port()};sentinel://127.0.0.1:{self.sentinel.port}"
        return f"{acl.logged_in(addresses, user)}/0?master_name={NAME}"

    def __enter__(self) -> Self:
        for server in (self.primary, self.replica):
            server.start()
            with Redis.from_url(server.url()) as redis:
                acl.tell(redis)
        with Redis.from_url(self.primary.url()) as redis:
            until(
                lambda: redis.info("replication")["connected_slaves"] == 1
            )  # a Sentinel that is early looks again after 10 s
        self.sentinel.start()
        until(lambda: self._knows("num-slaves") == 1)
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self.sentinel, self.replica, self.primary):
            server.stop()

    def catch_up(self, hold: bool = False) -> None:
        """Until the replica has everything that was written so far.

        `hold`: from here on the primary writes nothing.
        """
        with (
            Redis.from_url(self.primary.url()) as primary,
            Redis.from_url(self.replica.url()) as replica,
        ):
            if hold:
                primary.client_pause(60_000, all=False)
            written = primary.info("replication")["master_repl_offset"]
            until(lambda: replica.info("replication")["slave_repl_offset"] >= written)

    def part(self) -> None:
        """The replica gets nothing any more; everybody else sees the primary as before."""
        with Redis.from_url(self.primary.url()) as redis:
            redis.acl_deluser("replica")
            until(lambda: redis.info("replication")["connected_slaves"] == 0)

    def wait_promoted(self) -> None:
        until(lambda: self._knows("port") == self.replica.port)

    def _knows(self, what: str) -> int:
        with Redis.from_url(self.sentinel.url(), decode_responses=True) as sentinel:
            return int(sentinel.sentinel_master(NAME)[what])
