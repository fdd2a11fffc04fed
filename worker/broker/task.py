"""What our task is to Celery: how its waits look, and which limits are not Celery's to set."""

import math
from typing import Any

from celery import Task
from celery.exceptions import Retry


class Parked(Retry):  # type: ignore[misc]
    """Celery's RETRY whose repr, which events and Flower show, is its reason in words."""

    def __repr__(self) -> str:
        return str(self.message)


class OwnLimits(Task):  # type: ignore[misc]
    """A task that ends by our own limits in every pool, and that only a worker's flags may limit.

    Celery's would interrupt it between a call and its booking, or hold its messages back while the
    ledger counts them as begun soon. Its remote control gets the reason as its reply.
    """

    limit_s = math.inf
    """How long one start may take: --soft-time-limit or --time-limit, whichever is less."""

    @property
    def soft_time_limit(self) -> None:
        return None

    @soft_time_limit.setter
    def soft_time_limit(self, seconds: Any) -> None:
        if seconds:
            raise ValueError("refused: start the worker with --soft-time-limit")

    time_limit = soft_time_limit

    @property
    def rate_limit(self) -> None:
        return None

    @rate_limit.setter
    def rate_limit(self, rate: Any) -> None:
        if rate:
            raise ValueError(
                "refused: LLM_PACE limits the calls of the whole fleet, "
                "LLM_USER_REQUESTS_PER_MINUTE those of a user"
            )
