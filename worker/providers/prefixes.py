"""Which prompts begin like an earlier one, so that a cached beginning at the provider pays.

Thread-safe.
"""

import hashlib
import json
import threading
import time
from collections import OrderedDict

from producer.contract.requests import CompletionRequest

from .turns import SYSTEM_ROLES, all_parts

LIFE_S = 300.0
"""How long Anthropic keeps a cached beginning after its last use."""

REMEMBERED = 1_000
"""Beginnings kept; older ones are forgotten."""


def kept_for_an_hour(request: CompletionRequest) -> bool:
    """Whether it asks a provider to cache some of it for an hour, which is dearer (Anthropic)."""
    marks = (getattr(part, "cache_control", None) for _, part in all_parts(request.messages))
    if any(mark and mark.ttl == "1h" for mark in marks):
        return True
    options = request.provider_options
    return bool(options) and '"ttl":"1h"' in json.dumps(options, separators=(",", ":"))


class Prefixes:
    """The system prompts and tools that this process sent lately, as hashes.

    Writing to a provider's cache costs a quarter more than not using it, and reading a tenth. So a
    beginning is written when it comes a second time; one that never comes again costs nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_sent: OrderedDict[bytes, float] = OrderedDict()

    def should_cache(self, request: CompletionRequest) -> bool:
        """Whether the provider should cache the beginning of this request.

        As the request says; if it leaves that open, for batch jobs that share their beginning.
        """
        if request.prompt_cache == "auto":
            return request.lane == "batch" and self._sent_before(request)
        return request.prompt_cache == "on"

    def _sent_before(self, request: CompletionRequest) -> bool:
        """Whether its beginning was sent in the last `LIFE_S`; from now on it was."""
        parts = [
            message.model_dump_json()
            for message in request.messages
            if message.role in SYSTEM_ROLES
        ]
        parts += [tool.model_dump_json() for tool in request.tools]
        digest = hashlib.sha256("\n".join(parts).encode()).digest()
        now = time.monotonic()
        with self._lock:
            last = self._last_sent.pop(digest, None)
            self._last_sent[digest] = now
            if len(self._last_sent) > REMEMBERED:
                self._last_sent.popitem(last=False)
        return bool(parts) and last is not None and now - last < LIFE_S
