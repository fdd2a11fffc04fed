"""What Celery's flags mean here. Each works in its pool, or the worker does not start and says why.

docs/operations.md has them as a table.
"""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from celery.worker.control import Panel

from producer.contract.names import COMPLETE

from .stops import is_prefork

_NAMES = {"thread": "threads", "pool": "asyncio"}
"""Modules of pools that are not called as they are behind -P."""
PROCESSES = ("max_tasks_per_child", "max_memory_per_child")
GREENLETS = ("gevent", "eventlet")
"""Pools of Celery's that replace threads and sockets beneath the loop which calls are made on."""


def apply_flags(sender: Any = None, **_: Any) -> None:
    """`sender` is the worker, before its pool is built. Only SystemExit stops Celery from here."""
    problems = [*_of_pool(sender), *_of_slots(sender), *_of_queues(sender.app)]
    if problems:
        lines = "\n".join(f"- {problem}" for problem in problems)
        sys.exit(f"The worker cannot start:\n{lines}")
    if _name(sender.pool_cls) == "solo":
        sender.concurrency = 1  # else it takes messages for as many slots as the settings say
    _take_time_limits(sender)
    _keep_to_our_queues(sender.app)


def refuse_lost_log(arguments: Sequence[str]) -> None:
    """A process that leaves its terminal has nowhere to write but a file. `celery multi` names one
    by itself.
    """
    detached = {"-D", "--detach"} & set(arguments)
    if detached and not any(each.startswith(("-f", "--logfile")) for each in arguments):
        sys.exit("The worker cannot start:\n- --detach: its log is nowhere. Fix: --logfile=FILE")


def _take_time_limits(worker: Any) -> None:
    """Ours end a call, in every pool; Celery's would end what is between a call and its booking."""
    limits = [each for each in (worker.soft_time_limit, worker.time_limit) if each]
    worker.soft_time_limit = worker.time_limit = None
    if limits:
        worker.app.tasks[COMPLETE].limit_s = min(limits)


def _of_pool(worker: Any) -> Iterator[str]:
    """Flags that only a pool of processes knows; others ignore them in silence, or fail later."""
    pool = worker.pool_cls
    if is_prefork(pool):
        if worker.pool_start_method != "fork":
            yield "--pool-start-method: children are forked. Fix: leave it out"
        return
    kind, instead = _name(pool), "or use -P prefork"
    if kind in GREENLETS:
        yield f"--pool: calls run on our loop or in processes, not in {kind}. Fix: leave it out"
    for flag in PROCESSES:
        if getattr(worker, flag):
            name = flag.replace("_", "-")
            yield f"--{name}: the pool {kind} has no child processes. Fix: leave it out, {instead}"
    if worker.options.get("autoscale"):
        yield f"--autoscale: the pool {kind} does not grow by itself. Fix: --concurrency, {instead}"


def _of_slots(worker: Any) -> Iterator[str]:
    if worker.prefetch_multiplier != 1:
        why = "a worker would hold jobs that others have free slots for"
        yield f"--prefetch-multiplier: {why}. Fix: leave it out"
    usual = worker.app.conf.worker_concurrency
    if _name(worker.pool_cls) == "solo" and worker.concurrency not in (1, usual):
        yield "--concurrency: the pool solo runs one job at a time. Fix: 1, or -P threads"


def _of_queues(app: Any) -> Iterator[str]:
    ours = _our_queues(app)
    for name in sorted(set(app.amqp.queues.consume_from) - ours):
        why = f"{name} is no queue of this fleet's, and its messages are others'"
        yield f"--queues: {why}. Fix: {' or '.join(sorted(ours))}"


def _keep_to_our_queues(app: Any) -> None:
    """Celery prints a message whose task it does not know, and drops it."""
    add, ours = Panel.data["add_consumer"], _our_queues(app)

    def add_consumer(state: Any, queue: str, **options: Any) -> Any:
        if queue in ours:
            return add(state, queue, **options)
        return {"error": f"refused: {queue} is no queue of this fleet's"}

    Panel.data["add_consumer"] = add_consumer


def _our_queues(app: Any) -> set[str]:
    return {queue.name for queue in app.conf.task_queues}


def _name(pool: Any) -> str:
    """As it is called after -P."""
    module = pool if isinstance(pool, str) else pool.__module__
    name = str(module).rpartition(".")[2]
    return _NAMES.get(name, name)
