"""The fleet's health over HTTP, for load balancers, orchestrators and Prometheus.

It reads the ledger and nothing else: no prompt, no answer, no key passes through it.
"""

import threading
import time

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from producer.redis_trouble import described

from ..ledger.connection import ERRORS, LedgerConnection
from ..telemetry.metrics import Metrics
from .health import Health, Verdict
from .prometheus import MEDIA_TYPE, page

FRESH_S = 1.0
"""For so long a verdict is used again: frequent requests must not load the ledger."""


class Site:
    """The four routes.

    /live: this process answers. /ready: it could serve: the ledger answers and a worker is alive.
    /health: the verdict. /metrics: for Prometheus.
    """

    def __init__(self, connection: LedgerConnection, health: Health) -> None:
        self._connection = connection
        self._health = health
        self._metrics = Metrics(connection.redis, connection.keys)
        self._lock = threading.Lock()
        self._checked_at = 0.0
        self._latest: Verdict | None = None
        self.app = Starlette(
            routes=[
                Route("/live", self._live),
                Route("/ready", self._ready),
                Route("/health", self._whole),
                Route("/metrics", self._page),
            ]
        )

    def serve(self, host: str, port: int) -> None:
        """Until SIGTERM or Ctrl-C."""
        uvicorn.run(self.app, host=host, port=port, log_config=None, access_log=False)

    async def _live(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    # Plain functions, not coroutines: Starlette runs them on threads, where asking Redis may block.

    def _ready(self, request: Request) -> Response:
        verdict = self._verdict()
        down = [finding.text for finding in verdict.findings if finding.severity == "down"]
        return JSONResponse({"ready": not down, "reasons": down}, _status(bool(down)))

    def _whole(self, request: Request) -> Response:
        verdict = self._verdict()
        return JSONResponse(verdict.body(), _status(verdict.status == "down"))

    def _page(self, request: Request) -> Response:
        try:
            return Response(page(self._verdict(), self._metrics), media_type=MEDIA_TYPE)
        except ERRORS as error:
            away = described(self._connection.settings.ledger, error)
            return JSONResponse({"error": away}, 503)

    def _verdict(self) -> Verdict:
        with self._lock:
            if self._latest is None or time.monotonic() - self._checked_at > FRESH_S:
                self._latest = self._health.check()
                # After the check: a frozen ledger takes seconds, and those who waited for it
                # meanwhile must not ask it again.
                self._checked_at = time.monotonic()
            return self._latest


def _status(down: bool) -> int:
    return 503 if down else 200
