"""Connections as deployments have them: proxies, certificates, idle sockets, long headers."""

import socket

import pytest
from contract.bodies import TEXTS, body
from support.raw import CUT, HELD, RESET, RawServer, reply
from support.tls import Authority, Terminator

from worker.faults import Fault, ProviderError
from worker.providers import transport

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


@pytest.fixture(autouse=True)
def over_our_connections(adapter):
    if adapter == "gemini-legacy":
        pytest.skip("the old SDK has connections of its own")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in (*PROXIES, *map(str.upper, PROXIES), *TRUST):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def good(adapter):
    return reply(body(adapter, TEXTS[adapter], finish="stop"))


def failure(ask, *arguments, **options):
    with pytest.raises(ProviderError) as caught:
        ask(*arguments, **options)
    return caught.value


@pytest.mark.parametrize("how", [CUT, RESET])
def test_an_idle_connection_that_the_server_closed_costs_nothing(connect, good, how):
    """The request goes out again on a fresh one."""
    with RawServer(lambda asked: how if asked.number else good) as server:
        ask = connect(server.base_url)
        assert [ask().text for _ in range(3)] == ["Paris."] * 3
    assert [asked.connection for asked in server.requests] == [0, 0, 1, 1, 2]


def test_a_fresh_connection_that_is_cut_is_possibly_billed(connect, good):
    with RawServer(lambda asked: CUT) as server:
        error = failure(connect(server.base_url))
    assert (error.fault, error.maybe_billed) == (Fault.UNAVAILABLE, True)
    assert len(server.requests) == 1


@pytest.mark.parametrize("begun", [b"HTTP/1.1 200 OK\r\nX-A: ", b"HTT", b"HTTP/1.1 200 OK\r\n"])
def test_a_reply_that_has_begun_is_never_asked_for_again(connect, good, begun):
    with RawServer(lambda asked: [begun, CUT] if asked.number else good) as server:
        ask = connect(server.base_url)
        ask()
        error = failure(ask)
    assert error.maybe_billed
    assert len(server.requests) == 2


def test_a_reused_connection_that_is_cut_later_is_possibly_billed(connect, good, monkeypatch):
    """The server may have been at work."""
    monkeypatch.setattr(transport, "AT_ONCE_S", 0.0)
    with RawServer(lambda asked: CUT if asked.number else good) as server:
        ask = connect(server.base_url)
        ask()
        assert failure(ask).maybe_billed
    assert len(server.requests) == 2


@pytest.mark.parametrize("headers", ["X-Long: " + "x" * 60_000 + "\r\n", "X-Many: 1\r\n" * 900])
def test_long_headers_are_read(connect, adapter, headers):
    long = reply(body(adapter, TEXTS[adapter], finish="stop"), headers=headers)
    with RawServer(lambda asked: long) as server:
        assert connect(server.base_url)().text == "Paris."


@pytest.mark.parametrize("headers", ["Content-Length: 3\r\n", "X-Long: " + "x" * 99_000 + "\r\n"])
def test_headers_that_cannot_be_read_show_nothing_of_the_answer(connect, adapter, headers):
    odd = reply(body(adapter, TEXTS[adapter], finish="stop"), headers=headers)
    with RawServer(lambda asked: odd) as server:
        error = failure(connect(server.base_url))
    assert (error.fault, error.maybe_billed) == (Fault.BAD_RESPONSE, True)
    assert "Paris" not in str(error)


def test_a_refusal_whose_body_is_cut_is_a_refusal(connect):
    cut = b"HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 500\r\n\r\n{"
    with RawServer(lambda asked: [cut, CUT]) as server:
        error = failure(connect(server.base_url))
    expected = (Fault.RATE_LIMITED, False, 7.0)
    assert (error.fault, error.maybe_billed, error.retry_after_s) == expected


def test_a_refusal_whose_body_never_ends_is_a_refusal(connect):
    begun = b"HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 500\r\n\r\n{"
    with RawServer(lambda asked: [begun, HELD]) as server:
        error = failure(connect(server.base_url), silence_s=0.2)
    expected = (Fault.RATE_LIMITED, False, 7.0)
    assert (error.fault, error.maybe_billed, error.retry_after_s) == expected


def test_port_host_and_certificate_are_three_messages(connect, tmp_path, good):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = failure(connect(f"http://127.0.0.1:{closed.getsockname()[1]}/v1"))
    host = failure(connect("http://host.invalid/v1"))
    with RawServer(lambda asked: good) as server:
        with Terminator(server.port, Authority(tmp_path).context()) as secure:
            certificate = failure(connect(f"https://127.0.0.1:{secure.port}/v1"))
        no_tls = failure(connect(server.base_url.replace("http:", "https:")))
    shown = [error.reason for error in (port, host, certificate, no_tls)]
    for said, word in zip(shown, ("refused", "unknown host", "certificate", "TLS"), strict=True):
        assert word in said
    for error in (port, host, certificate, no_tls):
        assert (error.fault, error.maybe_billed) == (Fault.UNAVAILABLE, False)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_the_usual_variables_say_which_certificates_are_trusted(
    connect, tmp_path, good, monkeypatch, name
):
    authority = Authority(tmp_path)
    monkeypatch.setenv(name, str(authority.path))
    with (
        RawServer(lambda asked: good) as server,
        Terminator(server.port, authority.context()) as secure,
    ):
        assert connect(f"https://127.0.0.1:{secure.port}/v1")().text == "Paris."


def test_a_proxy_is_asked_for_all_but_the_excepted_hosts(connect, good, monkeypatch):
    with RawServer(lambda asked: good) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:word@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert connect("http://host.invalid/v1")().text == "Paris."
        assert connect(proxy.base_url)().text == "Paris."
    through, direct = (asked.head for asked in proxy.requests)
    assert " http://host.invalid/" in through
    assert "Proxy-Authorization: Basic dXNlcjp3b3Jk" in through
    assert "http://" not in direct.partition("\r\n")[0]
    assert "Proxy-Authorization" not in direct


@pytest.mark.parametrize(
    ("answer", "fault", "word"),
    [
        (reply(b"", 407), Fault.MISCONFIGURED, "proxy"),
        (reply(b"blocked", 403), Fault.UNAVAILABLE, "proxy refuses"),
        (CUT, Fault.UNAVAILABLE, "cut"),
        (b"no HTTP at all\r\n\r\n", Fault.BAD_RESPONSE, "HTTP"),
    ],
)
def test_what_a_proxy_refuses_was_not_sent(connect, monkeypatch, answer, fault, word):
    with RawServer(lambda asked: answer) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
        error = failure(connect("https://host.invalid/v1"))
    assert (error.fault, error.maybe_billed) == (fault, False)
    assert word in error.reason
    assert proxy.requests[0].head.startswith("CONNECT host.invalid:443 ")


def test_a_proxy_that_is_away_or_of_another_kind_is_told(connect, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{closed.getsockname()[1]}")
        away = failure(connect("http://host.invalid/v1"))
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    other = failure(connect("http://host.invalid/v1"))
    assert "proxy" in away.reason
    assert "proxy" in other.reason
    assert not away.maybe_billed
    assert not other.maybe_billed


def test_no_connection_in_time_is_not_billed(connect, monkeypatch, good):
    """Such as a server that never answers the beginning of TLS."""
    monkeypatch.setattr(transport, "CONNECT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = failure(connect(f"https://127.0.0.1:{silent.getsockname()[1]}/v1"))
    assert (error.fault, error.maybe_billed) == (Fault.TIMEOUT, False)
