"""The errors a caller can get. No message may hold a prompt, an answer or a key.

    JobError
    ├── InvalidRequest        the request itself is wrong; nothing was spent
    ├── TooLong               the prompt does not fit any allowed model's window
    ├── Truncated             the answer hit max_tokens; `.partial_text` has what came
    ├── Refused               the provider declined (refusal, content filter)
    ├── Filtered              an output filter of ours withheld the answer
    ├── BudgetExceeded        a cost cap or a daily budget would be overshot
    ├── RateLimited           the user's own tokens-per-hour or requests-per-minute are used up
    ├── DeadlineExceeded      the job's deadline passed, or nothing could finish before it
    ├── ProvidersExhausted    every allowed attempt failed; `.attempts` lists them
    ├── OutcomeUnknown        the call may be paid for, its answer is lost, and it is not repeated
    ├── Poisoned              the job brought down its worker too often
    ├── Cancelled             it was cancelled
    ├── Conflict              this id or key is taken by a different job
    └── Unavailable           the ledger could not be reached; `.job_id` makes a repeat safe

Every error is its positional, JSON-able `args`: Celery rebuilds a stored error as `class(*args)`.
"""

from typing import Any, Final

WIRE_MODULE: Final = "producer.contract.errors"
"""Where stored results say that these classes are, whatever name this module is loaded under."""


class JobError(Exception):
    """Base of all errors a caller can get. `details` has by name what the message says in words."""

    def __init__(self, message: str, details: dict[str, Any] | None = None) -> None:
        self.message = message
        self.details: dict[str, Any] = dict(details or {})
        super().__init__(message, self.details)

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        """Class and message only.

        `details` may hold a partial answer, and reprs end up in logs and Flower.
        """
        return f"{type(self).__name__}({self.message!r})"

    def to_wire(self) -> dict[str, Any]:
        """The error as plain JSON, for the ledger."""
        return {"type": type(self).__name__, "args": [self.message, self.details]}

    @staticmethod
    def from_wire(wire: dict[str, Any]) -> "JobError":
        """The same class again. A name from a newer version falls back to `JobError`."""
        cls = BY_NAME.get(wire["type"], JobError)
        return cls(*wire["args"])


class InvalidRequest(JobError):
    """The request is wrong; the message names field, place and fix. Nothing was spent."""


class TooLong(JobError):
    """The prompt does not fit the window of any allowed model. `details`: tokens, limit."""


class Truncated(JobError):
    """The answer stopped at max_tokens. It was paid for; what came is in `partial_text`."""

    @property
    def partial_text(self) -> str:
        return str(self.details.get("partial_text", ""))


class Refused(JobError):
    """The provider declined to answer: `details["reason"]` is refusal or content_filter."""

    @property
    def refusal(self) -> str:
        """The words with which it declined, or what it had said before; "" if it said none."""
        return str(self.details.get("text", ""))


class Filtered(JobError):
    """An output filter withheld the answer, which was paid for. `details`: filter, reason."""


class _LimitError(JobError):
    """A limit would be exceeded.

    `details`: limit (its name), and in dollars, tokens or requests allowed, used, held, asked;
    `limits`: the same of every limit in the way, first the one that lets it in last.
    """

    @property
    def retry_after_s(self) -> float | None:
        """Seconds until all limits let this request in, as far as is known; None: never."""
        return self.details.get("retry_after_s")


class BudgetExceeded(_LimitError):
    """A cost cap per request or a daily budget would be overshot."""


class RateLimited(_LimitError):
    """The user's tokens per hour or requests per minute are used up."""


class DeadlineExceeded(JobError):
    """The job's deadline passed, or nothing could finish before it; or a time limit that its
    worker was started with ended its call (`details`: limit_s).
    """


class ProvidersExhausted(JobError):
    """Every allowed attempt failed."""

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """Of each provider call, in order: link and fault, and as far as the provider stated them
        status, code, type and param.
        """
        return list(self.details.get("attempts", []))


class OutcomeUnknown(JobError):
    """The call was or may have been paid for, its answer is lost, and running again is ruled out:
    a worker died meanwhile, or failed on the reply.
    """


class Poisoned(JobError):
    """The job's deliveries ended badly too often; it is not tried again by itself."""


class Cancelled(JobError):
    """The job was cancelled. What it had cost until then stays booked."""


class Conflict(JobError):
    """A job with this id or idempotency key exists, and its user or its request is another."""


class Unavailable(JobError):
    """The ledger could not be reached. The submission may or may not have arrived."""

    @property
    def job_id(self) -> str | None:
        """Submit again with `task_id=error.job_id`: it creates the job or finds it, never both."""
        return self.details.get("job_id")


TREE: tuple[type[JobError], ...] = (
    InvalidRequest,
    TooLong,
    Truncated,
    Refused,
    Filtered,
    BudgetExceeded,
    RateLimited,
    DeadlineExceeded,
    ProvidersExhausted,
    OutcomeUnknown,
    Poisoned,
    Cancelled,
    Conflict,
    Unavailable,
)
BY_NAME: dict[str, type[JobError]] = {cls.__name__: cls for cls in TREE}
