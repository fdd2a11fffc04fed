"""Which proxy the environment says for a server: HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, NO_PROXY."""

from urllib.request import getproxies, proxy_bypass

from ..faults import Fault, ProviderError


def proxy_for(scheme: str, host: str) -> str | None:
    """Its URL; None for a server that is asked directly."""
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass(host):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if not proxy.startswith(("http://", "https://")):
        raise ProviderError(Fault.MISCONFIGURED, "the proxy's URL must begin with http://")
    return proxy
