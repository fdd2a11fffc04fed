"""CPU of who asks: Celery's `delay`, ours with room in the fleet and without, and `many`."""

import time
from collections.abc import Callable
from contextlib import ExitStack

from support.ledger import connection

import producer
from worker.embedded import EmbeddedValkey
from worker.ledger.ledger import Ledger
from worker.settings import LedgerSettings

from . import bare
from .cases import text
from .figures import Part
from .setting import Setting

WARM = 30
Asked = list[list[dict[str, str]]]


def measure(setting: Setting, part: Part) -> None:
    """Nobody works the jobs off: a fleet with room is a heartbeat that says so."""
    jobs = setting.size(1000, 100)
    part.how.update(jobs=jobs)
    with ExitStack() as stack:
        engine, full, roomy = (
            stack.enter_context(EmbeddedValkey(setting.folder / name)).url()
            for name in ("engine", "full", "roomy")
        )
        delay = bare.app_at(engine).tasks["call"].delay
        room(stack, roomy, 10 * (jobs + WARM) * setting.rounds)
        asked = [text(number) for number in range(jobs)]
        ways: dict[str, tuple[str, Callable[[Asked], object]]] = {
            "Celery's `delay`": ("", lambda each: [delay(one) for one in each]),
            "our `delay`, room": (roomy, ours),
            "our `delay`, no room": (full, ours),
            "our `many`": (full, lambda each: producer.complete.many(each, "u", max_tokens=50)),
        }
        for number in range(setting.rounds):
            for name, (url, send) in ways.items():
                setting.step(name, number)
                if url:
                    producer.configure(url)
                send(asked[:WARM])
                began = time.process_time()
                send(asked)
                used = time.process_time() - began
                part.add(name, {"caller_ms": used / jobs * 1000})


def ours(asked: Asked) -> object:
    return [producer.complete.delay(each, "u", max_tokens=50) for each in asked]


def room(stack: ExitStack, url: str, slots: int) -> None:
    """A fleet of so many free slots, as a ledger sees it."""
    fleet = connection(url)
    stack.callback(fleet.close)
    ledger = Ledger(fleet.redis, fleet.keys, LedgerSettings(), "bench")
    ledger.heartbeat("bench", slots, 3600)
