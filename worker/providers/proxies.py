"""Which proxy the environment says for a server: HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, NO_PROXY."""

import os
from functools import lru_cache
from urllib.request import getproxies, proxy_bypass

from ..faults import Fault, ProviderError

_SAID = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method")
_NAMES = tuple(name for each in _SAID for name in (each, each.upper()))


def proxy_for(scheme: str, host: str) -> str | None:
    """Its URL; None for a server that is asked directly."""
    said = map(os.environ.get, _NAMES)  # noqa: TID251 -- as `getproxies` itself reads it
    return _proxy_for(scheme, host, tuple(said))


@lru_cache(maxsize=1024)
def _proxy_for(scheme: str, host: str, _: tuple[str | None, ...]) -> str | None:
    """Kept as long as the environment says the same: to look through it takes 70 us."""
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass(host):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if not proxy.startswith(("http://", "https://")):
        raise ProviderError(Fault.MISCONFIGURED, "the proxy's URL must begin with http://")
    return proxy
