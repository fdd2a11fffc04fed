"""The worker's Celery app: `celery -A worker worker` finds it here. Wiring only; no job logic."""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

from celery import Celery, signals

from producer.contract.names import COMPLETE
from producer.redis_url import RedisUrl

from .broker import transport as broker  # noqa: F401 -- puts our transports behind redis:// and sentinel://
from .ledger.connection import ERRORS, unsafe
from .monitoring.alerts import Watch
from .runtime import checked_settings, current, ending, shut_down, warnings, watch
from .settings import LogSettings, SettingsError, load, load_redis
from .steward import Steward
from .tasks import Complete
from .telemetry import signals as telemetry
from .telemetry.logs import configure

logger = logging.getLogger(__name__)
watching: list[Watch] = []


def create_app() -> Celery:
    """An app that knows Redis and nothing else yet: Flower and `inspect` need no more. Raises
    `SettingsError`.
    """
    redis = load_redis()
    app = Celery("completions")
    app.backend_cls = RedisUrl.of(
        redis.backend
    ).url  # before CELERY_RESULT_BACKEND, which Celery would take as it is written
    app.config_from_object("celeryconfig")
    told = redis.celery(timeout_s=3.0)
    options = app.conf.broker_transport_options | told["broker_transport_options"]
    app.conf.update(told | {"broker_transport_options": options})
    if "prefork" in re.split(r"-P|--pool|[\s=]", " ".join(sys.argv)):
        # Celery takes `-P prefork` for its own default and would let celeryconfig's worker_pool win
        # over it.
        app.conf.worker_pool = "prefork"
    app.register_task(Complete())
    app.steps["consumer"].add(Steward)
    return app


telemetry.connect(lambda: current().ledger.metrics)


@signals.celeryd_init.connect
def refuse_to_start_wrong(conf: Any = None, **_: Any) -> None:
    """Complete and valid settings, or no worker. Only SystemExit stops Celery from here."""
    try:
        settings = checked_settings()
    except SettingsError as error:
        sys.exit(f"The worker cannot start:\n{error}\nCheck again with: completions check")
    configure(settings.log.level)
    for warning in (*ending(settings, datetime.now(UTC).date()), *warnings(settings)):
        logger.warning(warning)
    conf.result_expires = settings.ledger.result_expires_s
    # Renewed while a message is worked on; but never shorter than a call, for a steward that cannot
    # reach the broker.
    visibility_s = max(
        conf.broker_transport_options["visibility_timeout"], 2 * settings.call.timeout_s
    )
    conf.broker_transport_options = conf.broker_transport_options | {
        "visibility_timeout": visibility_s
    }


@signals.worker_ready.connect
def warn_of_an_unsafe_server(**_: Any) -> None:
    """A ledger that forgets what it promised to keep."""
    for warning in unsafe(current().ledger.redis):
        logger.warning(warning)


@signals.worker_ready.connect
def look_for_alerts(**_: Any) -> None:
    """In the main process only; of all that look, one at a time does."""
    watching.append(watch())


@signals.task_revoked.connect
def cancel_what_was_revoked(request: Any = None, **_: Any) -> None:
    """A delivery that Celery refuses ends its job in the ledger too; else every publication would
    be refused again.
    """
    try:
        task = app.tasks[COMPLETE]
        task.publish(current().jobs.cancel(request.id)[1])
    except ERRORS as error:
        logger.warning(
            "ledger away (%s): revoked job %s is cancelled by a steward",
            type(error).__name__,
            request.id,
        )


@signals.setup_logging.connect
def log_as_json(**_: Any) -> None:
    configure(load(LogSettings).level)


@signals.worker_process_shutdown.connect
@signals.worker_shutdown.connect
def close_runtime(**_: Any) -> None:
    while watching:
        watching.pop().close()
    shut_down()


try:
    app = create_app()
except SettingsError as error:
    sys.exit(f"Wrong settings:\n{error}\nCheck again with: completions check")
