"""Where a Redis server is: a URL, or the master that Sentinels name.

    redis://user:password@host:6379/0
    rediss://user:password@host:6379/0?ssl_ca_certs=/etc/ca.pem
    sentinel://user:password@host1:26379;sentinel://host2:26379/0?master_name=ledger

redis-py, kombu and Celery each want it said in another way; here is every way. Standard library
only.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

CHECKS = ("required", "optional", "none")
FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


@dataclass(frozen=True)
class RedisUrl:
    """One server, or the master of its name. Its repr shows no password."""

    url: str = field(repr=False)
    """As Celery and kombu are told: without the options that they would take for others."""
    ssl: dict[str, Any] = field(default_factory=dict)
    """redis-py's `ssl_` options; empty: no TLS. A certificate is checked unless they say otherwise."""
    master: str = ""
    """What the Sentinels call it; empty: the URL is the server's own."""

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises `ValueError`, which repeats nothing of a text that may hold a password."""
        if text.startswith("sentinel://"):
            return cls(*_named(text))
        parts = _split(text)
        if parts.scheme not in ("redis", "rediss"):
            raise ValueError("only redis://, rediss:// and sentinel:// are known")
        if not (parts.path.strip("/") or "0").isdecimal():
            raise ValueError("the database, behind the last /, is a number")
        options = dict(parse_qsl(parts.query))
        if "master_name" in options:
            raise ValueError("master_name goes with sentinel://host:26379")
        ssl = _ssl(options)
        if parts.scheme == "rediss":
            ssl = {"ssl_cert_reqs": "required"} | ssl
        elif ssl:
            raise ValueError("ssl_ options go with rediss://")
        return cls(parts._replace(query=urlencode(options)).geturl() if ssl else text, ssl)

    def client(self, library: Any, timeout_s: float, **options: Any) -> Any:
        """A client of `library` (redis or redis.asyncio), with `options` for each of its
        connections.

        `timeout_s`: of each operation on a connection to a Sentinel.
        """
        if not self.master:
            return library.Redis.from_url(self.url, **self.ssl, **options)
        parts = [urlsplit(each) for each in self.url.split(";")]
        login = {
            "username": unquote(parts[0].username or "") or None,
            "password": unquote(parts[0].password or "") or None,
        }
        tls = {"ssl": True, **self.ssl} if self.ssl else {}
        addresses = [(each.hostname, each.port) for each in parts]
        sentinels = library.sentinel.Sentinel(
            addresses, sentinel_kwargs=self.transport_options(timeout_s)["sentinel_kwargs"]
        )
        return sentinels.master_for(
            self.master, db=int(parts[0].path[1:]), **login, **tls, **options
        )

    def transport_options(self, timeout_s: float) -> dict[str, Any]:
        """What Celery's broker and result backend have to know beside the URL."""
        if not self.master:
            return {}
        # No retries: the next Sentinel is asked instead.
        one = {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s, "retry": None}
        tls = {"ssl": True, **self.ssl} if self.ssl else {}
        return {"master_name": self.master, "sentinel_kwargs": one | tls}

    @property
    def address(self) -> str:
        """HOST:PORT of the server, or of each Sentinel. Never a login."""
        if not self.master:
            return _address(self.url, 6379)
        return ", ".join(_address(each, 26379) for each in self.url.split(";"))


def does_not_answer(
    url: str, error: BaseException, variables: str = "REDIS_URL and LEDGER_URL"
) -> str:
    """What every command says when the Redis server at `url` does not answer.

    `variables`: where its URL is set. Never shows a password.
    """
    address = RedisUrl.of(url).address
    return f"Redis does not answer at {address} ({_reason(error)}). Fix: check {variables}"


def _reason(error: BaseException) -> str:
    """What the system said, for example "Connection refused"; else what Redis or its client did."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    # An unknown command is quoted by the server together with its arguments, which may be a prompt.
    text = str(error).partition(", with args")[0].rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _address(url: str, default_port: int) -> str:
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    if ":" in host:
        host = f"[{host}]"
    return f"{host}:{parts.port or default_port}"


def _named(text: str) -> tuple[str, dict[str, Any], str]:
    """The URL, in which each Sentinel has login and database of the whole, as kombu wants it; TLS;
    the master's name.
    """
    parts = [_split(each) for each in text.split(";")]
    *others, last = parts
    if any(each.scheme != "sentinel" or not each.hostname for each in parts):
        raise ValueError(
            "write it as sentinel://host1:26379;sentinel://host2:26379/0?master_name=NAME"
        )
    if any(each.query or each.path.strip("/") for each in others):
        raise ValueError("database and options belong behind the last Sentinel")
    options = dict(parse_qsl(last.query))
    ssl, master, database = (
        _ssl(options),
        options.pop("master_name", ""),
        last.path.strip("/") or "0",
    )
    if not master:
        raise ValueError(
            "no master_name: end it with ?master_name=NAME, as the Sentinels call the server"
        )
    if options or not database.isdecimal():
        raise ValueError(
            "behind the last Sentinel: /DATABASE?master_name=NAME and ssl_ options, nothing else"
        )
    if ssl:
        ssl = {"ssl_cert_reqs": "required"} | ssl
    login = next((each.netloc.rpartition("@")[0] + "@" for each in parts if "@" in each.netloc), "")
    addresses = [each.netloc.rpartition("@")[2] + ("" if each.port else ":26379") for each in parts]
    return ";".join(f"sentinel://{login}{address}/{database}" for address in addresses), ssl, master


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # computed when asked for
    except ValueError:
        raise ValueError(
            "host and port cannot be read; special characters of a password are written %XX"
        ) from None
    if "://" not in url:
        raise ValueError("write it as redis://host:6379/0, rediss://... or sentinel://...")
    return parts


def _ssl(options: dict[str, str]) -> dict[str, Any]:
    """Takes the `ssl_` options out of `options`."""
    told: dict[str, Any] = {
        name: options.pop(name) for name in list(options) if name.startswith("ssl_")
    }
    if unknown := set(told) - {*FILES, "ssl_cert_reqs", "ssl_check_hostname"}:
        raise ValueError(
            f"{', '.join(sorted(unknown))} is not known; there are {', '.join(FILES)}, ssl_cert_reqs, ssl_check_hostname"
        )
    if told.get("ssl_cert_reqs", "required") not in CHECKS:
        raise ValueError(f"ssl_cert_reqs is one of {', '.join(CHECKS)}")
    if missing := [name for name in FILES if name in told and not Path(told[name]).is_file()]:
        raise ValueError(f"there is no file {told[missing[0]]} ({missing[0]})")
    if "ssl_check_hostname" in told:
        told["ssl_check_hostname"] = told["ssl_check_hostname"].lower() != "false"
    return told
