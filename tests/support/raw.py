"""A server that speaks bytes: what a connection does is said for each of its requests."""

import contextlib
import json
import re
import socket
import struct
import threading
from collections.abc import Callable
from typing import NamedTuple

CUT, RESET, HELD = "cut", "reset", "held"


def reply(body: object, status: int = 200, headers: str = "", kind: str = "application/json"):
    """A whole HTTP response, its connection kept open."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n"
    return (head + headers + "\r\n").encode() + raw


class Asked(NamedTuple):
    """A request that was read: the so manieth one of its connection, both numbered from 0."""

    connection: int
    number: int
    head: str
    body: bytes


class RawServer:
    """Context manager on a private port. One thread per connection.

    `plan`: what happens on a request: bytes to send, CUT, RESET, HELD (nothing more, until the
    client leaves), or a list of them.
    """

    def __init__(self, plan: Callable[[Asked], object]) -> None:
        self._plan = plan
        self.requests: list[Asked] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> "RawServer":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                number = self.connections
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, connected: int) -> None:
        with contextlib.suppress(OSError), connection:
            number = 0
            while read := _read(connection):
                asked = Asked(connected, number, *read)
                self.requests.append(asked)
                steps = self._plan(asked)
                for step in steps if isinstance(steps, list) else [steps]:
                    if step == RESET:
                        linger = struct.pack("ii", 1, 0)
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    if step == HELD:
                        connection.recv(1)
                    if step in (CUT, RESET, HELD):
                        return
                    connection.sendall(step)
                number += 1


def _read(connection: socket.socket) -> tuple[str, bytes] | None:
    """(head, body) of a request, None when the client has left."""
    data = b""
    while b"\r\n\r\n" not in data and not data.startswith(b"\x16"):  # which begins TLS
        more = connection.recv(65_536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    while length and len(body) < int(length[1]):
        body += connection.recv(65_536)
    return head.decode("latin-1"), body
