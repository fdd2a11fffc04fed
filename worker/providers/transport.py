"""What a socket did, said as a fault: the only importer of aiohttp, shared by adapters whose SDK
runs on its transport.

The SDKs' shim reports a reset connection as a connect timeout, as if nothing had been sent; so the
decision is made on aiohttp's own exception, found down the chain of causes.
"""

import aiohttp

from ..faults import Fault, ProviderError

TRANSPORT_ERRORS = (aiohttp.ClientError, ConnectionError)
"""What an SDK lets through that runs on aiohttp without a wrapping of its own."""


def of_transport(error: BaseException) -> ProviderError:
    """Whether the request can have arrived decides whether it may be billed."""
    match _root(error):
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return ProviderError(Fault.MISCONFIGURED, "the base URL is unusable")
        case aiohttp.ConnectionTimeoutError():
            return ProviderError(Fault.TIMEOUT, "no connection in time")
        case aiohttp.ClientConnectorError():
            return ProviderError(Fault.UNAVAILABLE, "no connection: refused, unknown host or TLS")
        case aiohttp.ServerTimeoutError():
            return ProviderError(Fault.TIMEOUT, "no answer in time", maybe_billed=True)
    return ProviderError(Fault.UNAVAILABLE, "the connection was cut", maybe_billed=True)


def _root(error: BaseException | None) -> BaseException | None:
    """The first of aiohttp's exceptions behind `error`, or None."""
    while error is not None and not isinstance(error, aiohttp.ClientError):
        error = error.__cause__
    return error


def session() -> aiohttp.ClientSession:
    """For an SDK that takes one; to be made on the loop and closed by its maker. As many
    connections as there are jobs.
    """
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
