"""Other users, who ask one question after another while something is done beside them."""

import statistics
import threading
import time
from typing import Any

from support.ledger import ask


class Neighbours:
    """Context manager. Four users; each waits for an answer before the next question."""

    def __init__(self, complete: Any, model: str) -> None:
        self._complete = complete
        self._model = model
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(f"neighbour-{n}",)) for n in range(4)
        ]
        self._since = 0
        self.times_s: list[float] = []
        self.errors: list[BaseException] = []

    def __enter__(self) -> "Neighbours":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def p95_s(self) -> float:
        """Of the answers since it was asked before."""
        recent = self.times_s[self._since :]
        self._since += len(recent)
        return statistics.quantiles(recent, n=20)[-1] if len(recent) > 1 else 0.0

    def wait_for(self, answers: int) -> None:
        """Until there are so many more."""
        wanted = len(self.times_s) + answers
        while len(self.times_s) < wanted and not self.errors:
            self._stop.wait(0.02)

    def _ask(self, user: str) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            began = time.monotonic()
            try:
                job = self._complete.delay(ask(f"{number} of {user}"), user, model=self._model)
                job.value(30)
            except Exception as error:
                self.errors.append(error)
                return
            self.times_s.append(time.monotonic() - began)
