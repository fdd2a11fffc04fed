"""Celery's policy and our queues, for whoever runs Celery in this folder without our app.

Our app does not read this file, and it is not installed: a project may have its own.
"""

from kombu import Queue

from producer.contract.names import COMPLETE, QUEUES
from worker.broker.celery_policy import *  # noqa: F403

task_queues = tuple(Queue(name, routing_key=name) for name in QUEUES.values())
task_routes = {COMPLETE: {"queue": QUEUES["interactive"]}}
