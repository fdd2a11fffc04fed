"""Makes a worker die at one exact point, once, fail at some, or live with a wrong clock.

For a worker's PYTHONPATH only.

SABOTAGE_CRASH="reserve:after" kills the process with SIGKILL after `Ledger.reserve` returned (or
"before" it is called); SABOTAGE_ONCE names a file that is made when that has happened.
SABOTAGE_CLOCK="60" sets the clock a minute ahead.
SABOTAGE_RAISE="worker.cache:Cache.entry_for,worker.tasks:samples_of" has each of these raise an
error of the text SABOTAGE_SAYS instead of doing anything.
"""

import importlib
import os
import signal
import time

if ahead := os.environ.get("SABOTAGE_CLOCK"):
    real = time.time
    time.time = lambda: real() + float(ahead)

if point := os.environ.get("SABOTAGE_CRASH"):
    from worker.ledger.ledger import Ledger

    method, _, moment = point.partition(":")
    original = getattr(Ledger, method)

    def die() -> None:
        try:
            os.close(os.open(os.environ["SABOTAGE_ONCE"], os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    def sabotaged(self, *args, **kwargs):
        if moment == "before":
            die()
        result = original(self, *args, **kwargs)
        if moment == "after":
            die()
        return result

    setattr(Ledger, method, sabotaged)

for place in filter(None, os.environ.get("SABOTAGE_RAISE", "").split(",")):
    module, _, path = place.partition(":")
    owner = importlib.import_module(module)
    *outer, name = path.split(".")
    for each in outer:
        owner = getattr(owner, each)

    def fail(*args, **kwargs):
        raise ValueError(os.environ["SABOTAGE_SAYS"])

    assert callable(getattr(owner, name)), place
    setattr(owner, name, fail)
