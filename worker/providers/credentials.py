"""The keys and URLs of providers' servers as they are now: read again while the worker runs, where
their source can change.

Files and secret managers can; the environment cannot. Every other setting needs a restart. A source
that fails: keys stay.
"""

import logging
import threading
import time

from ..settings import Link, ServerSettings, Sources, SourceSettings, read_server

logger = logging.getLogger(__name__)

REFUSED_S = 2.0
"""A refused key is a reason to look at once, but not more often than this: it may just be wrong."""


class Credentials:
    """`links` and `settings` as the process read them when it began."""

    def __init__(self, links: tuple[Link, ...], settings: SourceSettings) -> None:
        self._servers = {
            link.provider: ServerSettings(base_url=link.base_url, api_key=link.api_key)
            for link in links
        }
        self._settings = settings
        self._looking = threading.Lock()
        self._looked_at = time.monotonic()

    def now(self, link: Link) -> Link:
        """The link with the key and URL that were read last. Waits for nobody."""
        return link.model_copy(update=dict(self._servers[link.provider]))

    def look(self, refused: bool = False) -> None:
        """Read again if it is time to, `refused`: because a provider has refused a key. In the
        thread of a job, which waits; all others go on with the keys they have. Never raises.
        """
        period_s = min(REFUSED_S, self._settings.reload_s) if refused else self._settings.reload_s
        if not self._settings.changing or time.monotonic() - self._looked_at < period_s:
            return
        if self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looked_at = time.monotonic()
                self._looking.release()

    def _look(self) -> None:
        sources = Sources()
        found = {provider: read_server(provider, sources) for provider in self._servers}
        changed = {
            provider: server
            for provider, server in found.items()
            if server and server != self._servers[provider]
        }
        lost = [
            provider
            for provider, server in changed.items()
            if self._servers[provider].api_key and not server.api_key
        ]
        wrong = [
            *map(str, sources.problems),
            *(f"{provider} has no key any more" for provider in lost),
        ]
        if wrong:
            logger.warning("keys and URLs stay as they are, for now: %s", "; ".join(wrong))
        elif changed:
            self._servers = self._servers | changed
            logger.info("another key or URL for %s from the next call on", ", ".join(changed))
