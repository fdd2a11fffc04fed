"""Which prompts begin like another one just before, so that having the provider cache that
beginning pays. Thread-safe.
"""

import hashlib
import threading
import time
from collections import OrderedDict

from producer.contract.requests import CompletionRequest

LIFE_S = 300.0
"""How long Anthropic keeps a cached beginning after its last use."""

REMEMBERED = 1_000


class Prefixes:
    """The system prompts and tools that this process sent lately, as hashes.

    Writing to a provider's cache costs a quarter more than not using it, reading a tenth. So a
    beginning is written when it comes a second time, and one that never comes again costs nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def wanted(self, request: CompletionRequest) -> bool:
        """Whether the beginning of this request is to be cached: as it asks, or for batch jobs that
        share it.
        """
        if request.prompt_cache == "auto":
            return request.lane == "batch" and self._again(request)
        return request.prompt_cache == "on"

    def _again(self, request: CompletionRequest) -> bool:
        said = [
            message.model_dump_json()
            for message in request.messages
            if message.role in ("system", "developer")
        ]
        said += [tool.model_dump_json() for tool in request.tools]
        digest = hashlib.sha256("\n".join(said).encode()).digest()
        now = time.monotonic()
        with self._lock:
            last = self._seen.pop(digest, None)
            self._seen[digest] = now
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return bool(said) and last is not None and now - last < LIFE_S
