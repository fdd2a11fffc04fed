"""What a failed socket means as a fault, for the adapters whose SDK uses aiohttp.

Only this file imports aiohttp. The SDKs' wrapper reports a reset connection as a connect timeout,
as if nothing had been sent; so the decision is made on aiohttp's own exception, found in the chain
of causes.
"""

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ConnectionTimeoutError,
    InvalidURL,
    NonHttpUrlClientError,
    ServerTimeoutError,
    TCPConnector,
)

from ..faults import Fault, ProviderError

TRANSPORT_ERRORS = (ClientError, ConnectionError)
"""What an SDK raises that uses aiohttp without wrapping its exceptions."""


def transport_error(error: BaseException) -> ProviderError:
    """It may be billed if the request can have arrived."""
    match _aiohttp_cause(error):
        case InvalidURL() | NonHttpUrlClientError():
            return ProviderError(Fault.MISCONFIGURED, "the base URL is unusable")
        case ConnectionTimeoutError():
            return ProviderError(Fault.TIMEOUT, "no connection in time")
        case ClientConnectorError():
            reason = "no connection: refused, unknown host or TLS"
            return ProviderError(Fault.UNAVAILABLE, reason)
        case ServerTimeoutError():
            return _maybe_billed(Fault.TIMEOUT, "no answer in time")
    return _maybe_billed(Fault.UNAVAILABLE, "the connection was cut")


def _maybe_billed(fault: Fault, reason: str) -> ProviderError:
    return ProviderError(fault, reason, maybe_billed=True)


def _aiohttp_cause(error: BaseException | None) -> BaseException | None:
    """The first of aiohttp's exceptions in the chain of causes of `error`, or None."""
    while error is not None and not isinstance(error, ClientError):
        error = error.__cause__
    return error


def session() -> ClientSession:
    """For an SDK that takes one: as many connections as there are jobs.

    To be made on the event loop, and closed by its maker.
    """
    connector = TCPConnector(limit=0)
    return ClientSession(connector=connector)
