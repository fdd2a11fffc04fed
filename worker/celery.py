"""The worker's Celery app, which `celery -A worker worker` finds here. Wiring only; no job logic.

Importing this module changes nothing: no transport, no signal, no exit. `create_app` does the work,
and the first use of `app` calls it.
"""

import gc
import logging
import re
import sys
from datetime import UTC, datetime
from functools import cache
from typing import Any

import celery
from celery import Celery, signals
from celery.concurrency import prefork
from celery.utils.nodenames import node_format

from producer import env_file, extras
from producer.contract.names import COMPLETE
from producer.redis_trouble import reason
from producer.redis_url import RedisUrl
from producer.settings import PUBLISHERS

from . import startup_checks
from .broker import celery_policy, events, outbox, results, transport
from .ledger.connection import ERRORS, LedgerConnection, unsafe_server
from .loop.jobs import beside
from .node import pool
from .node.flags import apply_flags, refuse_lost_log
from .node.pool_children import obey_parent, release_signals
from .node.steward import Steward
from .node.stops import Stops
from .node.taken_names import refuse_taken_names
from .output_filters.checker import checker
from .runtime import current, shut_down, use
from .settings import (
    LogSettings,
    Problem,
    RedisSettings,
    SemanticSettings,
    SettingsError,
    hosts_variables,
    load,
    load_redis,
)
from .tasks import Complete
from .telemetry import signals as telemetry
from .telemetry.logs import configure

PUBLISH_S = 5
"""For a connection to publish with, of the few there are."""
OLDEST = (5, 7)
"""Of Celery."""
YOUNG = 10_000
"""Objects that are made before Python looks for cycles among them; by default 700, a tenth of a
job's.
"""

logger = logging.getLogger(__name__)


def __getattr__(name: str) -> Any:
    """`app`, created when it is first asked for."""
    if name == "app":
        return _app_or_exit()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _App(Celery):  # type: ignore[misc]
    """Is configured here only. What a host's Django, CELERY_LOADER or CELERY_CONFIG_MODULE says is
    for the host's own app.
    """

    broker = ""
    events_cls = f"{events.__name__}:Events"

    def _connection(self, url: str, **options: Any) -> Any:
        """Celery prefers CELERY_BROKER_READ_URL and ..._WRITE_URL as they are written."""
        return super()._connection(self.broker, **options)

    def send_task(self, *args: Any, **options: Any) -> Any:
        """What follows a job: its message goes out beside the loop of an asyncio pool."""
        return beside(super().send_task, *args, **options)


@cache
def _app_or_exit() -> Celery:
    """The app of this process. Wrong Redis settings end it: Celery would print a traceback."""
    try:
        return create_app()
    except SettingsError as error:
        sys.exit(f"Wrong settings:\n{error}\nCheck again with: completions check")


def create_app() -> Celery:
    """An app that has read the Redis settings and no others: Flower and `inspect` need no more.

    Puts our transports behind kombu's URL schemes and our handlers behind Celery's signals. Raises
    `SettingsError`.
    """
    hosts_variables.pass_over()
    env_file.read()
    _refuse_old_celery(celery.VERSION)
    redis = load_redis()
    transport.install()
    app = _App("completions", loader="celery.loaders.app:AppLoader", fixups=[])
    app.broker = RedisUrl.parse(redis.broker).url
    app.loader.override_backends = results.BACKENDS
    # Celery looks here before CELERY_RESULT_BACKEND, which it would take as it is written.
    app.backend_cls = RedisUrl.parse(redis.backend).url
    app.config_from_object(celery_policy)
    servers = redis.celery(timeout_s=3.0)
    for name in ("broker_transport_options", "result_backend_transport_options"):
        servers[name] = app.conf[name] | servers[name]
    servers["broker_transport_options"] |= {
        "adopt_foreign_messages": redis.adopts,
        "names_root": redis.names.root,
        "ledger_here": redis.prefix if redis.is_one_server else "",
    }
    app.conf.update(servers)
    app.conf.task_queues = transport.queues(redis.names)
    pool.offer()
    if "prefork" in re.split(r"-P|--pool|[\s=]", " ".join(sys.argv)):
        # Celery takes `-P prefork` for its own default and would let the policy's worker_pool win
        # over it.
        app.conf.worker_pool = "prefork"
    refuse_lost_log(sys.argv)
    if "flower" in sys.argv:
        from .monitoring.flower import guard

        guard(app)
    app.register_task(Complete())
    app.steps["consumer"].add(Steward)
    app.steps["worker"].add(Stops)
    _connect_signals()
    return app


def _refuse_old_celery(version: tuple[Any, ...]) -> None:
    """What this package corrects in Celery and kombu is as of `OLDEST`. Raises `SettingsError`."""
    if version[:2] < OLDEST:
        has = ".".join(map(str, version[:3]))
        needs = ".".join(map(str, OLDEST))
        fix = extras.install("worker")
        text = (
            f"A worker needs Celery {needs}, and this is {has} (a producer may have it). Fix: {fix}"
        )
        raise SettingsError([Problem("", text)])


@cache
def _connect_signals() -> None:
    """Connect our handlers, once per process."""
    telemetry.connect()
    signals.setup_logging.connect(log_as_json)
    signals.celeryd_init.connect(refuse_wrong_settings)
    signals.worker_init.connect(apply_flags)
    signals.worker_process_init.connect(build_clients)
    signals.worker_process_init.connect(obey_parent)
    signals.beat_embedded_init.connect(release_signals)
    signals.worker_ready.connect(build_clients_of_threads)
    signals.worker_ready.connect(warn_of_unsafe_server)
    signals.worker_ready.connect(start_alerts)
    signals.task_revoked.connect(cancel_revoked_job)
    signals.worker_shutting_down.connect(hurry_checks)
    signals.worker_process_shutdown.connect(close_runtime)
    signals.worker_shutdown.connect(close_runtime)


def log_as_json(logfile: str | None = None, **_: Any) -> None:
    """To the file of -f, which Celery has expanded."""
    try:
        configure(load(LogSettings).level, path=logfile)
    except OSError as error:
        fix = "a path that this user may write"
        sys.exit(f"The worker cannot start:\n- --logfile: {error.strerror}. Fix: {fix}")


def refuse_wrong_settings(
    sender: str = "", conf: Any = None, options: Any = None, **_: Any
) -> None:
    """Complete and valid settings, or no worker. Only SystemExit stops Celery from here.

    `sender` is the node's name, `options` are its flags.
    """
    logfile = (options or {}).get("logfile")
    refuse_taken_names()
    try:
        settings = startup_checks.checked_settings()
        _load_functions(settings.redis)
    except SettingsError as error:
        sys.exit(f"The worker cannot start:\n{error}\nCheck again with: completions check")
    use(settings)
    _load_chroma(settings.semantic)
    log_as_json(logfile and node_format(logfile, sender))
    today = datetime.now(UTC).date()
    for warning in (*startup_checks.warnings(settings, today), *hosts_variables.warnings()):
        logger.warning(warning)
    conf.result_expires = settings.ledger.result_expires_s
    # Of a worker alone: Flower asks many things at once, each on a connection of its own. No slot
    # waits for ever; what is not published, the sweep publishes.
    conf.broker_pool_limit = PUBLISHERS
    conf.broker_pool_acquire_timeout = PUBLISH_S
    options = conf.broker_transport_options
    # Renewed while a message is worked on; but never shorter than a call, for a steward that cannot
    # reach the broker.
    visibility_s = max(options["visibility_timeout"], 2 * settings.call.timeout_s)
    conf.broker_transport_options = options | {"visibility_timeout": visibility_s}


def _load_functions(settings: RedisSettings) -> None:
    """On a connection that ends here: children of this process must not inherit it."""
    connection = LedgerConnection(settings)
    try:
        startup_checks.load_functions(connection)
    finally:
        connection.close()


def _load_chroma(settings: SemanticSettings) -> None:
    """Once, before children are forked: each has four seconds to begin."""
    if settings.mode != "off" and settings.index:
        from .semantic.chroma import load_client

        try:
            load_client()
        except Exception as error:  # noqa: BLE001 -- it reads the environment, too
            why = f"LLM_SEMANTIC_INDEX: {type(error).__name__} when chromadb was imported"
            sys.exit(f"The worker cannot start:\n- {why}. Fix: install it anew, or unset it")


def build_clients(**_: Any) -> None:
    """In each process that runs jobs, before its first."""
    runtime = current()
    runtime.clients.prepare(runtime.settings.named_links)
    if runtime.near:
        runtime.near.prepare()
    spare_collector()


def spare_collector() -> None:
    """Python's collector of cycles took 8 % of a worker's CPU. What is there before the first job
    stays, so that it need not be looked through again and again.
    """
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])


def build_clients_of_threads(sender: Any = None, **_: Any) -> None:
    """`sender` is the consumer. The main process of a prefork pool runs no jobs."""
    if not isinstance(sender.pool, prefork.TaskPool):
        build_clients()


def warn_of_unsafe_server(**_: Any) -> None:
    """A ledger that forgets what it promised to keep."""
    for warning in unsafe_server(current().connection.redis):
        logger.warning(warning)


def start_alerts(**_: Any) -> None:
    """In the main process of each worker; in any period only one of the fleet's checks."""
    current().alerts.start()


def cancel_revoked_job(sender: Any = None, request: Any = None, **_: Any) -> None:
    """End the job of a delivery that Celery refuses; else each publication would be refused again.

    `sender` is the task.
    """
    try:
        _state, publications = current().ledger.cancel(request.id)
    except ERRORS as error:
        logger.warning(
            "ledger: %s; revoked job %s is cancelled by a steward", reason(error), request.id
        )
    else:
        sender.app.tasks[COMPLETE].publish(publications)


def hurry_checks(**_: Any) -> None:
    """As soon as the main process is told to stop; a prefork child is not told."""
    checker.hurry()


def close_runtime(**_: Any) -> None:
    """Results first: the ledger is told which of them are stored."""
    outbox.flush()
    shut_down()
