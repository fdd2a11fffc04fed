"""Flower over our app: it has a login, wherever and however it is started, or it does not start.

Also without `flowerconfig.py`, which it only reads in the folder it is started in.
"""

import sys
from functools import cache
from typing import Any

from flower.app import Flower
from flower.views.monitor import Metrics
from tornado.web import authenticated


@cache
def guard(app: Any) -> None:
    """For the Celery app that Flower shows, before Flower starts."""
    start = Flower.start_http_server

    def start_with_login(flower: Flower) -> Any:
        if not any(flower.options.basic_auth) and not flower.options.auth:
            sys.exit(
                "Flower does not start without a login. "
                "Fix: export FLOWER_BASIC_AUTH=user:password (or see --auth)"
            )
        return start(flower)

    Flower.start_http_server = start_with_login
    # Flower 2.2 shows /metrics without a login.
    Metrics.get = authenticated(Metrics.get)
    # What a worker took and lost, workers put back: Flower writes into no queue, and its Redis user
    # may not.
    app.conf.broker_transport_options |= {"ack_emulation": False}
