"""A real Chroma server on loopback."""

import json
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from support.ledger import until

from worker.semantic.scope import digest

INCLUDED = ["metadatas", "documents", "uris"]


class ChromaServer:
    """`folder`: where its data are. It may be stopped and started again, on the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ChromaServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        place = ["--path", str(self.folder), "--host", "127.0.0.1", "--port", str(self.port)]
        command = [str(Path(sys.executable).with_name("chroma")), "run", *place]
        env = {"HOME": str(self.folder), "ANONYMIZED_TELEMETRY": "FALSE"}
        log = subprocess.DEVNULL
        self._process = subprocess.Popen(
            command, env=env, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
        )
        until(self._answers)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, "it ended"
        try:
            with urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=1):
                return True
        except OSError:
            return False

    def kept(self, fleet: str) -> dict[str, list[str]]:
        """Collection of that fleet -> the ids in it."""
        start = name_of_all(fleet)
        names = {each["name"]: each["id"] for each in self._asked("collections")}
        return {
            name: sorted(self._asked(f"collections/{id_}/get", {"include": []})["ids"])
            for name, id_ in sorted(names.items())
            if name.startswith(start)
        }

    def forget(self, fleet: str) -> None:
        """All of it, as a server that comes back empty."""
        for name in self.kept(fleet):
            self._asked(f"collections/{name}", method="DELETE")

    def everything(self) -> str:
        """All that an onlooker can read there, as JSON."""
        found = [
            self._asked(f"collections/{each['id']}/get", {"include": INCLUDED})
            for each in self._asked("collections")
        ]
        return json.dumps([self._asked("collections"), found])

    def _asked(self, path: str, body: object = None, method: str | None = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/api/v2/tenants/default_tenant/databases/default_database/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)


def name_of_all(fleet: str) -> str:
    """How the collections of a fleet begin."""
    return f"near-{digest(fleet)[:12]}-"
