"""Celery apps of the project's own (`integrate`): what follows a job of ours has to reach them.

A worker of ours publishes the next step of a chain. It knows neither which queue that task has in
its own app nor where that app's broker is. So each step is told its queue here, when the job is
submitted, and what could never arrive is refused.
"""

from collections.abc import Iterator
from typing import Any

from .contract.errors import InvalidRequest
from .contract.names import COMPLETE
from .current import current_settings
from .group_results import is_own_chord
from .redis_url import RedisUrl

LOOPBACK = ("localhost", "[::1]")
CANVAS = "celery."
"""Names of Celery's own tasks begin so: groups, chords, maps."""
INSIDE = ("tasks", "header", "body", "task")
"""Arguments of those that hold signatures."""
STEPS = ("link", "link_error", "chain", "chord")

hosts: list[Any] = []


def prepare(continuation: dict[str, Any], replaces: bool) -> None:
    """Tell each step of the hosts' its queue. `replaces`: the job has the id of a task of theirs.

    Raises `InvalidRequest` for what Celery cannot do across two brokers or result backends.
    """
    if not hosts:
        return
    for step in _steps([continuation.get(name) for name in STEPS]):
        _route(step)
    shared = all(map(_shares_results, hosts))
    if shared:
        return
    if replaces:
        raise _apart("self.replace", "result backend", "complete.delay(...) and job.value()")
    if "chord" in continuation and not is_own_chord(continuation.get("group_id")):
        raise _apart("chord", "result backend", "a chord of completions only")


def _steps(value: Any) -> Iterator[dict[str, Any]]:
    """The signatures of single tasks in a continuation, also those inside of groups and chords."""
    if isinstance(value, list):
        for each in value:
            yield from _steps(each)
    if not isinstance(value, dict) or "task" not in value:
        return
    options = value.get("options") or {}
    yield from _steps([options.get(name) for name in STEPS])
    if not str(value["task"]).startswith(CANVAS):
        yield value
        return
    arguments = value.get("kwargs") or {}
    yield from _steps([arguments.get(name) for name in INSIDE])


def _route(step: dict[str, Any]) -> None:
    name = step["task"]
    if name == COMPLETE:
        return
    host = next((each for each in hosts if name in each.tasks), hosts[0])
    if not _shares_broker(host):
        raise _apart(f"{name} after a completion", "broker", "job.value(), then its delay()")
    options = step.setdefault("options", {})
    if {"queue", "exchange", "routing_key"} & options.keys():
        return
    arguments = (step.get("args") or (), step.get("kwargs") or {})
    route = host.amqp.router.route({}, name, *arguments, host.tasks.get(name))
    for key in ("queue", "exchange", "routing_key"):
        if found := route.get(key):
            options[key] = getattr(found, "name", found)


def _apart(what: str, server: str, instead: str) -> InvalidRequest:
    return InvalidRequest(
        f"{what}: your Celery app has another {server} than completions. "
        f"Fix: the same URL for both, or {instead}"
    )


def _shares_broker(host: Any) -> bool:
    keys = host.conf.broker_transport_options.get("global_keyprefix")
    return not keys and _same(host.conf.broker_write_url, current_settings().broker)


def _shares_results(host: Any) -> bool:
    """Under the same keys, and in the same form."""
    conf, settings = host.conf, current_settings()
    keys = conf.result_backend_transport_options.get("global_keyprefix") or ""
    alike = keys == settings.names.root and conf.result_serializer == "json"
    return alike and _same(conf.result_backend, settings.backend)


def _same(theirs: Any, ours: str) -> bool:
    return _place(theirs) == _place(ours)


def _place(url: Any) -> tuple[str, ...]:
    """Address, master and database; of what is no Redis its text."""
    try:
        found = RedisUrl.parse(str(url))
    except ValueError:
        return (str(url),)
    address = found.address
    for name in LOOPBACK:
        address = address.replace(f"{name}:", "127.0.0.1:")
    return (address, found.master, found.url.rpartition("/")[2])
