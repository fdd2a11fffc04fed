"""What a user has left, and under which name: for a page of the user's account, or before a long
task is offered.
"""

from .contract.used_limits import UsedLimit
from .contract.user_ids import checked_user
from .current import current_settings, ledger


def user_as_counted(user_id: str) -> str:
    """The user's id as `job.progress().user_id`, limits and usage have it: with `LLM_USER_IDS`, ids
    that mean one user are spelt alike.

    Raises `InvalidRequest` for what is no user id.
    """
    return checked_user(user_id, current_settings().user_ids)


def limits(user_id: str) -> list[UsedLimit]:
    """Every limit of the user and of the user's group, also those of the fleet's settings, and what
    is used of each now.

    Raises `InvalidRequest` for what is no user id, and `Unavailable`.
    """
    return ledger().limits(user_as_counted(user_id))
