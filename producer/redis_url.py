"""Where a Redis server is: its URL, or the name under which Sentinels know the master.

    redis://user:password@host:6379/0
    rediss://user:password@host:6379/0?ssl_ca_certs=/etc/ca.pem
    sentinel://user:password@host1:26379;sentinel://host2:26379/0?master_name=ledger
    unix://user:password@/run/redis.sock?db=0

redis-py, kombu and Celery each want it in another form; all forms are made here. Standard library
only.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

CHECKS = ("required", "optional", "none")
FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
SOCKETS = ("unix", "redis+socket", "socket")
"""How a URL of a socket in the file system begins: redis-py's word, and Celery's."""
UNREADABLE = "host and port cannot be read; special characters of a password are written %XX"
OURS = {
    *("health_check_interval", "socket_timeout", "socket_connect_timeout", "socket_keepalive"),
    *("retry_on_timeout", "max_connections", "decode_responses", "encoding", "protocol", "timeout"),
    "client_name",
}
"""Options of connections that URLs of managed services have. They are left out: each side needs its
own, and Celery and kombu hand them to the wrong place.
"""


@dataclass(frozen=True)
class RedisUrl:
    """One server, or the master of a name. Its repr shows no password."""

    url: str = field(repr=False)
    """For Celery and kombu: without the options that they would misunderstand."""
    ssl: dict[str, Any] = field(default_factory=dict)
    """redis-py's `ssl_` options; empty: no TLS. By default certificates are checked."""
    master: str = ""
    """The name of the master at the Sentinels; empty: the URL is the server's own."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `ValueError`, which repeats nothing of a text that may hold a password."""
        if text.startswith("sentinel://"):
            return cls(*_sentinels(text))
        parts = _split(text)
        if parts.scheme in SOCKETS:
            return cls(_socket(parts))
        if parts.scheme not in ("redis", "rediss"):
            raise ValueError("only redis://, rediss://, sentinel:// and unix:// are known")
        options = dict(parse_qsl(parts.query))
        if "master_name" in options:
            raise ValueError("master_name goes with sentinel://host:26379")
        ssl = _pop_ssl(options)
        if parts.scheme == "redis" and ssl:
            raise ValueError("ssl_ options go with rediss://")
        database = _database(parts.path.strip("/"), options)
        _refuse_unknown(options)
        netloc = parts.netloc.replace(";", "%3B")  # kombu would see two servers
        url = parts._replace(netloc=netloc, path=f"/{database}", query="").geturl()
        return cls(url, {"ssl_cert_reqs": "required"} | ssl if parts.scheme == "rediss" else {})

    def client(
        self, library: Any, timeout_s: float, pools: Any = (None, None), **options: Any
    ) -> Any:
        """A client of `library` (redis or redis.asyncio), with `options` for its connections.

        `timeout_s`: of each operation on a connection to a Sentinel. `pools`: the classes of its
        connection pool for a server and for Sentinels, if not the library's.
        """
        plain_pool, sentinel_pool = pools
        if not self.master:
            kind = plain_pool or library.ConnectionPool
            url = self.url
            if self.socket:
                url = url.replace(*_TO_REDIS_PY[0], 1).replace(*_TO_REDIS_PY[1])
                options = {name: options[name] for name in options if name not in OF_TCP}
            return library.Redis.from_pool(kind.from_url(url, **self.ssl, **options))
        if sentinel_pool:
            options = options | {"connection_pool_class": sentinel_pool}
        parts = [urlsplit(each) for each in self.url.split(";")]
        addresses = [(each.hostname, each.port) for each in parts]
        sentinel_options = self.transport_options(timeout_s)["sentinel_kwargs"]
        sentinels = library.sentinel.Sentinel(addresses, sentinel_kwargs=sentinel_options)
        return sentinels.master_for(
            self.master,
            library.Redis,
            db=int(parts[0].path[1:]),
            username=unquote(parts[0].username or "") or None,
            password=unquote(parts[0].password or "") or None,
            **self._tls(),
            **options,
        )

    def transport_options(self, timeout_s: float) -> dict[str, Any]:
        """What Celery's broker and result backend need beside the URL."""
        if not self.master:
            return {}
        sentinel_options = {
            "socket_timeout": timeout_s,
            "socket_connect_timeout": timeout_s,
            "retry": None,  # the next Sentinel is asked instead
        }
        return {"master_name": self.master, "sentinel_kwargs": sentinel_options | self._tls()}

    def _tls(self) -> dict[str, Any]:
        """redis-py's options of a connection that is not made from a URL."""
        return {"ssl": True, **self.ssl} if self.ssl else {}

    @property
    def socket(self) -> str:
        """The path of the server's socket; "" if it has a host."""
        parts = urlsplit(self.url.partition(";")[0])
        return unquote(parts.path) if parts.scheme in SOCKETS else ""

    @property
    def address(self) -> str:
        """HOST:PORT of the server, or of each Sentinel, or a path. Never a login."""
        if self.socket:
            return self.socket
        if not self.master:
            return _address(self.url, 6379)
        return ", ".join(_address(each, 26379) for each in self.url.split(";"))


OF_TCP = ("socket_connect_timeout", "socket_keepalive")
"""Options that a connection to a socket in the file system does not have."""
_TO_REDIS_PY = (("redis+socket:", "unix:"), ("?virtual_host=", "?db="))


def _socket(parts: SplitResult) -> str:
    """In Celery's form."""
    options = dict(parse_qsl(parts.query))
    database = options.pop("virtual_host", options.pop("db", "")) or "0"
    _refuse_unknown(options)
    if parts.hostname or not parts.path.strip("/"):
        raise ValueError("write it as unix:///run/redis.sock, with three slashes")
    if not database.isdecimal():
        raise ValueError("the database, as ?db=, is a number")
    login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return f"redis+socket://{login}{parts.path}?virtual_host={database}"


def _database(path: str, options: dict[str, str]) -> str:
    """Takes `db`, which some write instead of the path, out of `options`."""
    database = options.pop("db", path) or "0"
    if path and path != database:
        raise ValueError("the database is said twice: behind the last / and as db")
    if not database.isdecimal():
        raise ValueError("the database, behind the last /, is a number")
    return database


def _refuse_unknown(options: dict[str, str]) -> None:
    if unknown := sorted(options.keys() - OURS):
        raise ValueError(
            f"{unknown[0]} is not known; behind the ? there are db and, for rediss://, "
            f"{', '.join(FILES)}, ssl_cert_reqs, ssl_check_hostname"
        )


def _address(url: str, default_port: int) -> str:
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    if ":" in host:
        host = f"[{host}]"
    return f"{host}:{parts.port or default_port}"


def _sentinels(text: str) -> tuple[str, dict[str, Any], str]:
    """The URL in kombu's form, the TLS options, the master's name.

    In kombu's form each Sentinel has the login and the database of the whole.
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
    ssl = _pop_ssl(options)
    master = options.pop("master_name", "")
    database = last.path.strip("/") or "0"
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
    logins = [each.netloc.rpartition("@")[0] for each in parts if "@" in each.netloc]
    login = "".join(f"{each}@" for each in logins[:1])
    urls = [f"sentinel://{login}{_host_and_port(each)}/{database}" for each in parts]
    return ";".join(urls), ssl, master


def _host_and_port(sentinel: SplitResult) -> str:
    address = sentinel.netloc.rpartition("@")[2]
    return address if sentinel.port else f"{address}:26379"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # computed when it is read
    except ValueError:
        raise ValueError(UNREADABLE) from None
    if parts.fragment or "@" in parts.path + parts.query:  # the password ended too early
        raise ValueError(UNREADABLE)
    if "://" not in url:
        raise ValueError("write it as redis://host:6379/0, rediss://... or sentinel://...")
    return parts


def _pop_ssl(options: dict[str, str]) -> dict[str, Any]:
    """Takes the `ssl_` options out of `options`, checked and in redis-py's types."""
    names = [name for name in options if name.startswith("ssl_")]
    ssl: dict[str, Any] = {name: options.pop(name) for name in names}
    if unknown := set(ssl) - {*FILES, "ssl_cert_reqs", "ssl_check_hostname"}:
        raise ValueError(
            f"{', '.join(sorted(unknown))} is not known; there are {', '.join(FILES)}, "
            "ssl_cert_reqs, ssl_check_hostname"
        )
    if "ssl_cert_reqs" in ssl:  # Celery's URLs have it as CERT_NONE
        ssl["ssl_cert_reqs"] = ssl["ssl_cert_reqs"].lower().removeprefix("cert_")
    if ssl.get("ssl_cert_reqs", "required") not in CHECKS:
        raise ValueError(f"ssl_cert_reqs is one of {', '.join(CHECKS)}")
    for name in FILES:
        if name in ssl and not Path(ssl[name]).is_file():
            raise ValueError(f"there is no file {ssl[name]} ({name})")
    if "ssl_check_hostname" in ssl:
        ssl["ssl_check_hostname"] = ssl["ssl_check_hostname"].lower() != "false"
    return ssl
