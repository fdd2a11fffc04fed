"""The fleet's health over HTTP, for load balancers, orchestrators and Prometheus. Only this file
imports starlette and uvicorn.

It reads the ledger and nothing else: no prompt, no answer, no key passes through it.
"""

import threading
import time

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..ledger.connection import ERRORS
from ..telemetry.metrics import Metrics
from .health import Health, Verdict
from .prometheus import MEDIA_TYPE, page

FRESH_S = 1.0
"""A verdict is used again for so long: whoever asks often must not load the ledger."""


class Site:
    """/live: this process answers. /ready: it could serve: the ledger answers and a worker is
    alive. /health: the verdict. /metrics: for Prometheus.
    """

    def __init__(self, health: Health, metrics: Metrics) -> None:
        self._health = health
        self._metrics = metrics
        self._lock = threading.Lock()
        self._latest: tuple[float, Verdict] | None = None
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
        return JSONResponse({"ready": not down, "reasons": down}, 503 if down else 200)

    def _whole(self, request: Request) -> Response:
        verdict = self._verdict()
        return JSONResponse(verdict.body(), 503 if verdict.status == "down" else 200)

    def _page(self, request: Request) -> Response:
        try:
            return Response(page(self._verdict(), self._metrics), media_type=MEDIA_TYPE)
        except ERRORS as error:
            return JSONResponse(
                {"error": f"the ledger does not answer ({type(error).__name__})"}, 503
            )

    def _verdict(self) -> Verdict:
        with self._lock:
            if self._latest is None or time.monotonic() - self._latest[0] > FRESH_S:
                verdict = self._health.check()
                self._latest = (
                    time.monotonic(),
                    verdict,
                )  # a frozen ledger takes seconds: whoever waited asks no more
            return self._latest[1]
