"""What stands still costs: a worker without jobs and its server, and a producer that waits."""

import subprocess
import sys
import time
from contextlib import ExitStack

import psutil
from redis import Redis

from worker.embedded import EmbeddedValkey, tethered

from .cases import HERE, Bare, Case, cpu_s, served_s
from .figures import Part
from .setting import Setting

SETTLE_S = 3.0
WAITERS = {
    "waits by `get()`": ("get", 1),
    "waits by `value()`": ("value", 1),
    "waits by `await`": ("await", 1),
    "1,000 times `await`": ("await", 1000),
}


def measure(setting: Setting, part: Part) -> None:
    """All at once: it is CPU that is measured, and none of them does anything."""
    span_s = setting.size(20, 3)
    part.how.update(span_s=span_s)
    with ExitStack() as stack:
        watched: dict[str, tuple[int, Redis]] = {}
        for name, of in {"raw Celery worker": Bare, "our worker": Case}.items():
            case = of(stack, setting.folder, setting.provider.url())
            case.start()
            watched[name] = case.worker.pid, case.redis
        for name, (way, count) in WAITERS.items():
            watched[name] = _waiter(stack, setting, way, count)
        time.sleep(SETTLE_S)
        for number in range(setting.rounds):
            setting.step("all", number)
            before = {name: _used(*each) for name, each in watched.items()}
            began = time.monotonic()
            time.sleep(span_s)
            for name, each in watched.items():
                hours = (time.monotonic() - began) / 3600
                now = _used(*each)
                used = {key: (now[key] - before[name][key]) / hours for key in now}
                part.add(name, used)


def _used(pid: int, server: Redis) -> dict[str, float]:
    return {"process_s": cpu_s(pid), "server_s": served_s(server)}


def _waiter(stack: ExitStack, setting: Setting, way: str, count: int) -> tuple[int, Redis]:
    """A producer on a server of its own, without a worker: its jobs stay where they are."""
    place = setting.folder / f"{way}{count}"
    server = stack.enter_context(EmbeddedValkey(place))
    command = [sys.executable, str(HERE / "waiter.py"), server.url(), way, str(count)]
    process = subprocess.Popen(tethered(command), stdout=subprocess.PIPE, text=True)
    stack.callback(process.wait)
    stack.callback(process.kill)
    assert process.stdout.readline() == "waiting\n"
    return psutil.Process(process.pid).pid, stack.enter_context(Redis.from_url(server.url()))
