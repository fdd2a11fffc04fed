"""Servers that are not at hand, as far as they say what they are: INFO, and which commands they
know.
"""

import contextlib
import socket
import threading

INFO = {
    "Redis 6.2.14": "redis_version:6.2.14\r\nredis_mode:standalone\r\n",
    "Dragonfly df-v1.40.1": "redis_version:7.4.0\r\ndragonfly_version:df-v1.40.1\r\n",
    "KeyDB 6.3.4": "redis_version:6.3.4\r\nredis_mode:standalone\r\n# KeyDB\r\nmvcc_depth:0\r\n",
    "Redis Cluster": "redis_version:7.4.2\r\nredis_mode:cluster\r\ncluster_enabled:1\r\n",
}
KNOWN = {
    b"PING": b"+PONG\r\n",
    b"SELECT": b"+OK\r\n",
    b"CLIENT": b"+OK\r\n",
    b"HELLO": b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n",
}


class ImitatedServer:
    """Context manager on a private port. `info` None: it has no INFO, as where it is renamed."""

    def __init__(self, info):
        self._info = info
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as asked, contextlib.suppress(OSError):
            while header := asked.readline():
                words = [self._word(asked) for _ in range(int(header[1:]))]
                connection.sendall(self._reply(words[0].upper()))

    @staticmethod
    def _word(asked):
        size = int(asked.readline()[1:])
        return asked.read(size + 2)[:size]

    def _reply(self, command):
        if command == b"INFO" and self._info is not None:
            text = self._info.encode()
            return b"$%d\r\n%s\r\n" % (len(text), text)
        unknown = b"-ERR unknown command '" + command + b"', with args beginning with: \r\n"
        return KNOWN.get(command, unknown)
