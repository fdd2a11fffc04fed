"""Which certificates the providers' servers are believed by."""

from functools import cache
from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, SSLContext

import httpx2

from ..settings import TrustSettings


def trusted() -> SSLContext:
    """The certificates of the variables of `TrustSettings`, else the system's.

    One for all links: to read some hundred certificates takes 15 ms and more.
    """
    places = TrustSettings.of_environment().places
    return _context(tuple((place, place.stat().st_mtime_ns) for place in places))


@cache
def _context(places: tuple[tuple[Path, int], ...]) -> SSLContext:
    """Of files and folders as they were changed last."""
    if not places:
        return httpx2.create_ssl_context(trust_env=False)
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    for place, _ in places:
        if place.is_dir():
            context.load_verify_locations(capath=place)
        else:
            context.load_verify_locations(cafile=place)
    return context
