"""Connections to the providers' servers: one way for every SDK, over aiohttp.

Proxies, certificates, idle connections and failed sockets mean the same whichever SDK asks. Only
this file imports aiohttp.

The clock of a cut decides what it means. A server closes idle connections whenever it likes, also
while a request is on its way: then the cut comes at once, before any byte of a reply, and nobody
has read the request, so it is sent again. A connection that was fresh, or that was cut later, may
have been cut by a server at work: possibly billed.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientHttpProxyError,
    ClientOSError,
    ClientProxyConnectionError,
    ClientRequest,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    InvalidURL,
    NonHttpUrlClientError,
    ServerDisconnectedError,
    ServerTimeoutError,
    TCPConnector,
    TraceConfig,
)

from ..faults import Fault, ProviderError
from .bodies import MOST_BYTES, has_ended, is_stream
from .certificates import trusted
from .proxies import proxy_for
from .sending import Patience, Sending, current
from .statuses import bad_response, refuse_no_answer, status_error

LARGEST_HEADER = 65_536
"""Bytes; gateways send headers far beyond aiohttp's own limit of 8 KB."""
MOST_HEADERS = 1024

CONNECT_S = 5.0
"""For a connection, with its TLS and its proxy; the deadline of `Loop.run` bounds all the rest."""
IDLE_S = 4.0
"""How long an idle connection is kept: less than servers keep theirs, which is often 5 s."""
FRAME_BYTES = 1_024
"""A stream that has sent no more has not begun its answer: an event or two before it."""
AT_ONCE_S = 1.0
"""A reused connection that is cut this soon was closed by the server as idle."""


@contextmanager
def translating(patience: Patience) -> Iterator[Sending]:
    """Turn whatever a call over a session of ours raises into `ProviderError`.

    `from None`: the SDKs' exceptions carry the key and the prompt.
    """
    sending = current()
    sending.prepares(patience)
    try:
        yield sending
    except Exception as error:  # noqa: BLE001 -- nothing but our own errors leaves an adapter
        raise _error_of(error, sending) from None


def _error_of(error: Exception, sending: Sending) -> ProviderError:
    """What failed on the way, found in the chain of causes of the SDK's `error`."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, (ProviderError, ClientError)):
        cause = cause.__cause__
    if isinstance(cause, ProviderError):
        return cause
    if isinstance(cause, ClientError):
        return _fault(cause, sending)
    reason = f"{type(error).__name__} in the SDK"
    return ProviderError(Fault.BAD_RESPONSE, reason, sending.written)


def session() -> ClientSession:
    """For an SDK that takes one: as many connections as there are jobs.

    To be made on the event loop, and closed by its maker.
    """
    progress = TraceConfig()
    progress.on_connection_reuseconn.append(_reuses)
    progress.on_request_headers_sent.append(_writes)
    return ClientSession(
        connector=TCPConnector(limit=0, keepalive_timeout=IDLE_S, ssl=trusted()),
        timeout=ClientTimeout(total=None),
        max_line_size=LARGEST_HEADER,
        max_field_size=LARGEST_HEADER,
        max_headers=MOST_HEADERS,
        middlewares=(_send,),
        trace_configs=[progress],
    )


async def _send(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """One request and its whole reply, if that is a success.

    A redirect, an error and a web page are none, and no SDK has to read them.
    """
    _choose_proxy(request)
    sending = current()
    read = bytearray()
    response = None
    try:
        async with asyncio.timeout(None) as silence:
            sending.listens(silence)
            response = await _answered(request, handler, sending)
            await _read(response, sending, read)
    except TimeoutError:
        if not response or (response.status < 300 and not has_ended(read)):
            reason = "nothing more was heard"
            raise ProviderError(Fault.TIMEOUT, reason, sending.written) from None
    content = bytes(read)
    if response.status >= 300:
        raise status_error(response.status, content, response.headers)
    refuse_no_answer(content, response.headers)
    sending.answered(content, response.headers)
    return response


async def _answered(
    request: ClientRequest, handler: ClientHandlerType, sending: Sending
) -> ClientResponse:
    """The head of the reply, over a connection that lives."""
    while True:
        try:
            async with asyncio.timeout(CONNECT_S) as connecting:
                sending.connects(connecting)
                return await handler(request)
        except (ClientError, OSError) as error:
            if not _was_idle(error, sending):
                raise _fault(error, sending) from None


async def _read(response: ClientResponse, sending: Sending, content: bytearray) -> None:
    """The body; of a refusal as much as came."""
    frame = FRAME_BYTES if is_stream(response.headers) else 0
    sending.hears(0, frame)
    try:
        async for piece in response.content.iter_any():
            content += piece
            if frame and has_ended(content):
                sending.ends()
                continue
            sending.hears(len(content), frame)
            if frame:
                await _pause(response, sending.pause_s)
            if len(content) > MOST_BYTES:
                content.clear()  # the error's traceback would keep it
                raise bad_response(f"a reply of more than {MOST_BYTES // 1_000_000} MB")
    except BaseException as error:
        response.close()
        if not isinstance(error, (ClientError, OSError)):
            raise
        if response.status < 300:
            raise _fault(error, sending) from None


async def _pause(response: ClientResponse, seconds: float) -> None:
    """Leave what comes of a stream in the socket: a read of many events costs no more than one."""
    connection = response.connection
    if connection is None or connection.transport is None:
        return  # it has ended
    connection.transport.pause_reading()
    try:
        await asyncio.sleep(seconds)
    finally:
        connection.transport.resume_reading()


def _choose_proxy(request: ClientRequest) -> None:
    """The session's own reading of the environment would send a password of ~/.netrc with it."""
    proxy = proxy_for(request.url.scheme, request.url.host or "")
    if proxy:
        request.update_proxy(type(request.url)(proxy), None, None)


async def _reuses(_session: ClientSession, _context: SimpleNamespace, _: object) -> None:
    current().reused = True


async def _writes(_session: ClientSession, _context: SimpleNamespace, _: object) -> None:
    current().writes()


def _was_idle(error: Exception, sending: Sending) -> bool:
    """Whether the server had closed the idle connection that the request was written to.

    Such a connection is gone then, so this ends at the latest with a fresh one.
    """
    if not sending.reused or not isinstance(error, (ServerDisconnectedError, ClientOSError)):
        return False
    if isinstance(error, ServerDisconnectedError) and not isinstance(error.message, str):
        return False  # the beginning of a reply
    return sending.written_s < AT_ONCE_S


def _fault(error: BaseException, sending: Sending) -> ProviderError:
    """It may be billed if the request can have arrived."""
    match error:
        case InvalidURL() | NonHttpUrlClientError():
            return ProviderError(Fault.MISCONFIGURED, "the base URL is unusable")
        case ClientHttpProxyError():
            return _refused_by_proxy(error.status)
        case TimeoutError() if not sending.written:
            return ProviderError(Fault.TIMEOUT, "no connection in time")
        case ClientConnectorError():
            return ProviderError(Fault.UNAVAILABLE, f"no connection: {_why(error)}")
        case ServerTimeoutError():
            return ProviderError(Fault.TIMEOUT, "no answer in time", sending.written)
        case ClientResponseError():
            reason = "a reply that is no HTTP, or whose headers are too long"
            return ProviderError(Fault.BAD_RESPONSE, reason, sending.written)
    return ProviderError(Fault.UNAVAILABLE, "the connection was cut", sending.written)


def _why(error: ClientConnectorError) -> str:
    match error:
        case ClientConnectorCertificateError():
            return "untrusted certificate"
        case ClientConnectorDNSError():
            return f"unknown host {error.host}"
        case ClientProxyConnectionError():
            return "the proxy cannot be reached"
        case ClientSSLError():
            return "TLS failed"
    if isinstance(error.os_error, ConnectionRefusedError):
        return f"port {error.port} is refused"
    return "the host cannot be reached"


def _refused_by_proxy(status: int) -> ProviderError:
    """The tunnel to the provider was refused: it has seen nothing."""
    if status == 407:
        return status_error(status, None, {})
    return ProviderError(Fault.UNAVAILABLE, f"the proxy refuses this server: HTTP {status}")
