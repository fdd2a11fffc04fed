"""The server that the audit log lies on."""

from ..ledger.connection import Redis, connect
from ..settings import AuditSettings

TIMEOUT_S = 2.0
"""How long a paid answer waits for an audit log that is frozen."""

CONNECTIONS = 2
"""Each writes an entry in a millisecond."""


def audit_server(settings: AuditSettings) -> Redis | None:
    """None if there is no audit log."""
    if settings.url is None:
        return None
    return connect(settings.url.get_secret_value(), TIMEOUT_S, CONNECTIONS)
