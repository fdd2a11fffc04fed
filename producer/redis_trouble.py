"""What is wrong with a Redis server, in the one wording of errors, logs, health and commands.

A server that refuses is told apart from one that does not answer: each refusal has its own fix, and
the server is where it should be. Standard library only.
"""

from collections.abc import Iterator
from typing import NamedTuple

from .redis_url import RedisUrl

LEDGER_VARIABLES = "REDIS_URL and LEDGER_URL"


class Refusal(NamedTuple):
    """Why a server that answers does not do what it is asked."""

    code: str
    """The first word of its error reply."""
    what: str
    fix: str
    """`{variables}` in it: where the server's URL is set."""


_OUTSIDE = "name a server outside a cluster in {variables}"

REFUSALS = (
    Refusal("OOM", "its memory is full", "raise its maxmemory"),
    Refusal("MISCONF", "it cannot write to its disk", "free space there; its log names the file"),
    Refusal("READONLY", "it is a replica", "name the primary, or the Sentinels, in {variables}"),
    Refusal("LOADING", "it is still reading its data", "wait; it answers when it is done"),
    Refusal(
        "MASTERDOWN",
        "it is a replica without its primary",
        "start the primary, or name another server in {variables}",
    ),
    Refusal(
        "NOREPLICAS",
        "too few replicas follow it",
        "start them, or lower its min-replicas-to-write",
    ),
    Refusal("NOPERM", "its user may not do that", "give the user what deploy/valkey-users.acl has"),
    Refusal("WRONGPASS", "it refuses the password", "check user and password in {variables}"),
    Refusal("NOAUTH", "it wants a password", "put user and password into {variables}"),
    Refusal("CLUSTERDOWN", "its cluster is down", _OUTSIDE),
    Refusal("MOVED", "it is one of a cluster", _OUTSIDE),
    Refusal("ASK", "it is one of a cluster", _OUTSIDE),
    Refusal("CROSSSLOT", "it is one of a cluster", _OUTSIDE),
    Refusal("TRYAGAIN", "it is one of a cluster", _OUTSIDE),
    Refusal("QUOTA", "it has done all that its plan allows", "raise it where the server is rented"),
    Refusal("BUSY", "a script keeps it busy", "end it with SCRIPT KILL or FUNCTION KILL"),
    Refusal(
        "DENIED",
        "it serves its own machine only",
        "give it a password, or set its protected-mode to no",
    ),
    Refusal("MAXCLIENTS", "it has no connection left", "raise its maxclients"),
)
SPEAKERS = ("redis", "kombu")
"""Libraries whose errors are about a connection or a server."""
_BY_CODE = {each.code: each for each in REFUSALS}
_WITHOUT_CODE = {
    "max number of clients": "MAXCLIENTS",
    "request limit exceeded": "QUOTA",
    "requests limit exceeded": "QUOTA",
    "invalid username-password": "WRONGPASS",
    "invalid password": "WRONGPASS",
    "without any password configured": "WRONGPASS",
    "authentication required": "NOAUTH",
    "script can't run this command": "NOPERM",
    "acl failure in script": "NOPERM",
}
"""Parts of replies that begin with ERR, or of which the client keeps no code -> the code."""


_OF_PIPELINE = " of pipeline caused error: "


def refusal_of(error: BaseException) -> Refusal | None:
    """None: the server did not answer, or said something else."""
    for each in _chain(error):
        text = _said(each)
        code = getattr(each, "status_code", None) or text.partition(" ")[0]
        if code in _BY_CODE:
            return _BY_CODE[code]
        for part, code in _WITHOUT_CODE.items():
            if part in text.lower():
                return _BY_CODE[code]
    return None


def reason(error: BaseException) -> str:
    """In a few words: "its memory is full (OOM)", "Connection refused"."""
    refusal = refusal_of(error)
    if refusal:
        return f"{refusal.what} ({refusal.code})"
    for each in _chain(error):
        if isinstance(each, OSError) and each.strerror:
            return each.strerror
    name = type(error).__name__
    if type(error).__module__.partition(".")[0] not in SPEAKERS:
        return name  # any other text may hold a prompt
    # An unknown command is quoted by the server together with its arguments.
    text = _said(error).partition(", with args")[0].rstrip(".")
    return f"{name}: {text}" if text else name


def described(url: str, error: BaseException, variables: str = LEDGER_VARIABLES) -> str:
    """Where the server is, what is wrong with it, and the fix. Never shows a password.

    `variables`: where its URL is set.
    """
    address = RedisUrl.parse(url).address
    refusal = refusal_of(error)
    if refusal is None:
        return f"Redis does not answer at {address} ({reason(error)}). Fix: check {variables}"
    fix = refusal.fix.format(variables=variables)
    return f"Redis refuses at {address}: {reason(error)}. Fix: {fix}"


def _said(error: BaseException) -> str:
    """By the server. Of a pipeline's command the client puts this behind the command, and with it
    the beginning of what was to be stored.
    """
    text = str(error)
    return text.rpartition(_OF_PIPELINE)[2] if _OF_PIPELINE in text else text


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it."""
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__ or each.__context__
