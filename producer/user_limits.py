"""What a user has left: for a page of the user's account, or before a long task is offered."""

from .contract.submission import checked_user
from .contract.used_limits import UsedLimit
from .ledger_client import ledger


def limits(user_id: str) -> list[UsedLimit]:
    """Every limit of the user and of the user's group, also those of the fleet's settings, and what
    is used of each now.

    Raises `InvalidRequest` for what is no user id, and `Unavailable`.
    """
    return ledger().limits(checked_user(user_id))
