"""Flower's settings, found in the folder it is started in.

Everything needs a login, /metrics too, and nothing can be run or changed through it unless it is
started with --read_only=False.
"""

import sys

from flower.views.monitor import Metrics
from tornado.options import options
from tornado.web import authenticated

from worker.celery import app

if not any(options.basic_auth) and not options.auth:
    sys.exit(
        "Flower does not start without a login. "
        "Fix: export FLOWER_BASIC_AUTH=user:password (or see --auth)"
    )

# Flower 2.2 shows /metrics without a login.
Metrics.get = authenticated(Metrics.get)

# What a worker took and lost, workers put back: Flower writes into no queue, and its Redis user may
# not.
app.conf.broker_transport_options |= {"ack_emulation": False}

read_only = True
max_tasks = 10_000  # the default of 100,000 takes hundreds of megabytes
tasks_columns = "name,uuid,state,received,started,runtime,worker"
