"""Flower's settings, found in the folder it is started in.

Nothing can be run or changed through it unless it is started with --read_only=False. That it needs
a login does not depend on this file: `worker/monitoring/flower.py`.
"""

read_only = True
max_tasks = 10_000  # the default of 100,000 takes hundreds of megabytes
tasks_columns = "name,uuid,state,received,started,runtime,worker"
