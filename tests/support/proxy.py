"""A TCP link to Redis that can go half-open: connections stay, and nothing passes. Or that forgets
its connections, as firewalls do: what is sent there is dropped, and new ones work.
"""

import contextlib
import socket
import threading


class Proxy:
    """Context manager on a private port in front of 127.0.0.1:`target`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._flowing = threading.Event()
        self._flowing.set()
        self._ended = False
        self._open: list[socket.socket] = []
        self._forgotten: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def url(self, db: int = 0) -> str:
        return f"redis://127.0.0.1:{self.port}/{db}"

    def cut(self) -> None:
        """Nothing passes any more; new connections are accepted and never answered."""
        self._flowing.clear()

    def forget(self) -> None:
        """All connections that there are: nothing passes, and nobody is told."""
        self._forgotten.update(self._open)

    def heal(self) -> None:
        """As after a reboot of what was between: old connections are reset, new ones work."""
        self._close_all()
        self._flowing.set()

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._listener.close()
        self._close_all()
        self._flowing.set()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        self._open.append(near)
        self._flowing.wait()
        try:
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            near.close()
            return
        self._open.append(far)
        if self._ended:  # it was accepted while the listener closed
            self._close_all()
            return
        for pair in ((near, far), (far, near)):
            threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                self._flowing.wait()
                if source not in self._forgotten:
                    sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _close_all(self) -> None:
        with contextlib.suppress(IndexError):  # another thread may take the last one
            while True:
                end = self._open.pop()
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
