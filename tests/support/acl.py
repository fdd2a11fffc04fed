"""The users of `deploy/valkey-users.acl`, with passwords."""

import hashlib
import re
from urllib.parse import quote

from redis import Redis
from support.nodes import ROOT

SHIPPED = (ROOT / "deploy/valkey-users.acl").read_text()
USERS = re.findall(r"^user (\w+) on resetpass ", SHIPPED, re.MULTILINE)


def password(user: str) -> str:
    """One with characters that a URL has to escape."""
    return f"{user};@/%"


def filled() -> str:
    """The file as an operator has completed it."""
    text = SHIPPED
    for user in USERS:
        text = text.replace(
            f"user {user} on resetpass ",
            f"user {user} on #{hashlib.sha256(password(user).encode()).hexdigest()} ",
        )
    return text


def tell(redis: Redis) -> None:
    """Make the users of a server that runs; its default user stays as it is."""
    for line in filled().splitlines():
        _, user, *rules = line.split()
        if user in USERS:
            redis.execute_command("ACL", "SETUSER", user, *rules)


def logged_in(url: str, user: str) -> str:
    """The URL of one server or of Sentinels, for that user."""
    return url.replace("://", f"://{user}:{quote(password(user), safe='')}@", 1)
