"""Makes a worker die at one exact point, once, or live with a wrong clock.

For a worker's PYTHONPATH only.

SABOTAGE_CRASH="reserve:after" kills the process with SIGKILL after `Ledger.reserve` returned (or
"before" it is called); SABOTAGE_ONCE names a file that is made when that has happened.
SABOTAGE_CLOCK="60" sets the clock a minute ahead.
"""

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
