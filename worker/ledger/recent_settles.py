"""What this process settled shortly before, to be settled again at a server that restarted.

It may have lost its last second. Bounded by bytes and time.
"""

import threading
import time
from collections import deque

from .job_functions import Settle

REPLAY_S = 60.0
"""How long a settle is remembered: the second that a server may lose, and the time it was away."""

MAX_BYTES = 32_000_000
"""Of all that are remembered. The newest is always, because it is the likeliest to be lost."""

OVERHEAD_BYTES = 1_000
"""Of one, without its texts."""


class RecentSettles:
    """From any thread."""

    def __init__(self, life_s: float = REPLAY_S, max_bytes: int = MAX_BYTES) -> None:
        self._life_s = life_s
        self._max_bytes = max_bytes
        self._kept: deque[tuple[float, int, Settle]] = deque()
        self._lock = threading.Lock()
        self.bytes = 0
        """Of the texts that are remembered, about."""

    def add(self, call: Settle) -> None:
        size = OVERHEAD_BYTES + len(call.outcome) + len(call.cache_entry)
        with self._lock:
            self._kept.append((time.monotonic(), size, call))
            self.bytes += size
            while self.bytes > self._max_bytes and len(self._kept) > 1:
                self._drop_oldest()
        self.forget_old()

    def forget_old(self) -> None:
        """Let go what is too old; called now and then, also when nothing is settled."""
        with self._lock:
            while self._kept and time.monotonic() - self._kept[0][0] > self._life_s:
                self._drop_oldest()

    def recent(self) -> list[Settle]:
        """What is remembered, the oldest first."""
        self.forget_old()
        with self._lock:
            return [call for _, _, call in self._kept]

    def _drop_oldest(self) -> None:
        _, size, _ = self._kept.popleft()
        self.bytes -= size
