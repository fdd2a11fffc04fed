"""The keys and URLs of the providers' servers, read again while the worker runs.

Files and secret managers can change meanwhile; the environment cannot. Every other setting needs a
restart. If a source fails, the keys stay as they are.
"""

import logging
import threading
import time

from ..loop.jobs import beside
from ..settings import Link, ServerSettings, Sources, SourceSettings, read_server

logger = logging.getLogger(__name__)

REFUSED_S = 2.0
"""At most so often a refused key is a reason to read again: it may just be wrong."""


class Credentials:
    """Begins with `links` and `settings` as the process read them at its start."""

    def __init__(self, links: tuple[Link, ...], settings: SourceSettings) -> None:
        self._servers = {
            link.provider: ServerSettings(base_url=link.base_url, api_key=link.api_key)
            for link in links
        }
        self._settings = settings
        self._reloading = threading.Lock()
        self._read_at = time.monotonic()

    def apply_to(self, link: Link) -> Link:
        """The link with the key and URL that were read last. Never waits for a reload."""
        server = self._servers[link.provider]
        return link.model_copy(update=dict(server))

    def reload_if_due(self, refused: bool = False) -> None:
        """Read again if it is time to. `refused`: a provider has refused a key.

        The calling job waits for it; all others continue with the keys there are. Never raises.
        """
        if not self._settings.changing:
            return
        period_s = self._settings.reload_s
        if refused:
            period_s = min(REFUSED_S, period_s)
        if time.monotonic() - self._read_at < period_s:
            return
        if self._reloading.acquire(blocking=False):
            try:
                beside(self._reload)
            finally:
                self._read_at = time.monotonic()
                self._reloading.release()

    def _reload(self) -> None:
        sources = Sources()
        changed: dict[str, ServerSettings] = {}
        lost = []
        for provider, old in self._servers.items():
            new = read_server(provider, sources)
            if new is None or new == old:
                continue
            changed[provider] = new
            if old.api_key and not new.api_key:
                lost.append(f"{provider} has no key any more")
        problems = [*map(str, sources.problems), *lost]
        if problems:
            logger.warning("keys and URLs stay as they are, for now: %s", "; ".join(problems))
        elif changed:
            self._servers = self._servers | changed
            logger.info("another key or URL for %s from the next call on", ", ".join(changed))
