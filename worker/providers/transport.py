"""What a failed socket means as a fault, for the adapters whose SDK uses aiohttp.

Only this file imports aiohttp. The SDKs' wrapper reports a reset connection as a connect timeout,
as if nothing had been sent; so the decision is made on aiohttp's own exception, found in the chain
of causes.
"""

from urllib.request import getproxies, proxy_bypass

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ConnectionTimeoutError,
    InvalidURL,
    NonHttpUrlClientError,
    ServerTimeoutError,
    TCPConnector,
)

from ..faults import Fault, ProviderError
from .statuses import refuse_no_answer, status_error

TRANSPORT_ERRORS = (ClientError, ConnectionError)
"""What an SDK raises that uses aiohttp without wrapping its exceptions."""

LARGEST_HEADER = 65_536
"""Bytes; gateways send headers far beyond aiohttp's own limit of 8 KB."""


def transport_error(error: BaseException) -> ProviderError:
    """It may be billed if the request can have arrived."""
    match _aiohttp_cause(error):
        case InvalidURL() | NonHttpUrlClientError():
            return ProviderError(Fault.MISCONFIGURED, "the base URL is unusable")
        case ConnectionTimeoutError():
            return ProviderError(Fault.TIMEOUT, "no connection in time")
        case ClientConnectorCertificateError():
            return ProviderError(Fault.UNAVAILABLE, "no connection: untrusted certificate")
        case ClientConnectorDNSError():
            return ProviderError(Fault.UNAVAILABLE, "no connection: unknown host")
        case ClientSSLError():
            return ProviderError(Fault.UNAVAILABLE, "no connection: TLS failed")
        case ClientConnectorError():
            return ProviderError(Fault.UNAVAILABLE, "no connection: the port is refused")
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
    return ClientSession(
        connector=connector,
        max_line_size=LARGEST_HEADER,
        max_field_size=LARGEST_HEADER,
        max_headers=1024,
        middlewares=(_send,),
    )


async def _send(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """One request through the environment's proxy; neither a redirect nor an error is an answer.

    The session's own reading of the environment would send a password of ~/.netrc with it.
    """
    proxy = getproxies().get(request.url.scheme)
    if proxy and not proxy_bypass(request.url.host or ""):
        request.update_proxy(type(request.url)(proxy), None, None)
    response = await handler(request)
    if 300 <= response.status < 400:
        response.close()
        raise status_error(response.status, None, response.headers)
    if response.status == 200:
        refuse_no_answer(await response.read(), response.headers)
    return response
