"""Celery's policy for workers: constants, each with its reason.

Where the broker and backend are, and what a fleet calls its own there, comes from the environment,
in `worker/celery.py`.

Measured reasons: docs/decisions/0002-celery-settings.md.
"""

from .entries import NOTHING

# Messages: JSON only, so that nothing executable travels; ids only, so that no prompt does.
accept_content = ["json", NOTHING]
task_serializer = "json"
result_serializer = "json"
result_extended = False  # would store raw arguments
enable_utc = True
timezone = "UTC"

task_default_queue = "celery"  # Celery's own: continuations of other applications keep it

# Delivery: acknowledge after the work; the ledger drops what is delivered twice.
task_acks_late = True
task_reject_on_worker_lost = (
    True  # a killed prefork child must not turn into a FAILURE: the ledger re-queues its job
)
task_acks_on_failure = True
task_acks_on_timeout = True
worker_prefetch_multiplier = 1  # 4 duplicated six of eight jobs when a worker froze
worker_cancel_long_running_tasks_on_connection_loss = False  # True re-ran every paid call
broker_transport_options = {
    "visibility_timeout": 120,  # renewed by the steward while a message is worked on
    "queue_order_strategy": "priority",
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "unacked_mutex_expire": 15,  # the default of 300 s blocks all restores behind a dead worker
    "socket_timeout": 5,  # without it a half-open link holds a worker for over 100 s
    "socket_connect_timeout": 3,
    "health_check_interval": 5,
    "socket_keepalive": True,
}
broker_connection_max_retries = None
broker_connection_retry_on_startup = True
task_publish_retry = True
task_publish_retry_policy = {
    "max_retries": 3,
    "interval_start": 0.1,
    "interval_step": 0.2,
    "interval_max": 0.5,
}

# Results: every outcome is stored in the backend as well.
redis_socket_timeout = 5
redis_socket_connect_timeout = 3
redis_max_connections = 2  # one thread stores; chords ask beside it
redis_retry_on_timeout = True
result_backend_always_retry = True  # what is no result; those: worker/broker/outbox.py
result_backend_transport_options = {
    # A server that refuses (full, a replica) is waited for as one that is away; else the result of
    # a job is lost, and its get() hangs.
    "additional_connection_errors": ["redis.exceptions.ResponseError"],
}
result_backend_thread_safe = True  # one backend and pool per process, not per thread
task_track_started = False  # the STARTED write would overwrite the outcome of a duplicate

# The pool: calls wait on the network, so an event loop; `-P threads` and `-P prefork`
# work as well.
worker_pool = "asyncio"
worker_concurrency = 16
worker_hijack_root_logger = False  # our JSON lines are set up by worker/telemetry

# Flower needs the events; they carry ids and states only. Not that of a message that was sent: it
# costs its sender as much as the message, and the ledger knows what waits.
worker_send_task_events = True
