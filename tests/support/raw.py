"""A server that speaks bytes: what a connection does is said for each of its requests."""

import contextlib
import json
import re
import socket
import struct
import threading
from collections.abc import Callable

CUT, RESET = "cut", "reset"


def reply(body: object, status: int = 200, headers: str = "", kind: str = "application/json"):
    """A whole HTTP response, its connection kept open."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n"
    return (head + headers + "\r\n").encode() + raw


class RawServer:
    """Context manager on a private port. One thread per connection.

    `plan(connection, request)`: what happens on the connection's so manieth request, both from 0:
    bytes to send, CUT, RESET, or several of them.
    """

    def __init__(self, plan: Callable[[int, int], object]) -> None:
        self._plan = plan
        self.requests: list[tuple[int, str]] = []
        """(connection, head) of every request that was read."""
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

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), connection:
            asked = 0
            while head := _read(connection):
                self.requests.append((number, head))
                steps = self._plan(number, asked)
                for step in steps if isinstance(steps, list) else [steps]:
                    if step == RESET:
                        linger = struct.pack("ii", 1, 0)
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    if step in (CUT, RESET):
                        return
                    connection.sendall(step)
                asked += 1


def _read(connection: socket.socket) -> str:
    """The head of a request, its body read as well; "" when the client has left."""
    data = b""
    while b"\r\n\r\n" not in data and not data.startswith(b"\x16"):  # which begins TLS
        more = connection.recv(65_536)
        if not more:
            return ""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    missing = int(length[1]) - len(body) if length else 0
    while missing > 0:
        missing -= len(connection.recv(missing))
    return head.decode("latin-1")
