"""`Asked`: one request as the app under test made it."""

from dataclasses import dataclass
from typing import Any

from ..contract.content import TextPart
from ..contract.messages import Message
from ..contract.requests import CompletionRequest
from ..contract.submission import Submission


@dataclass(frozen=True)
class Asked:
    """What was submitted, checked as a worker would get it."""

    job_id: str
    user_id: str
    request: CompletionRequest
    """With all its options: `asked.request.temperature`."""
    idempotency_key: str = ""
    batch: str = ""
    """The batch of which it is an item; "" if it is none."""
    name: str = ""
    """What the caller calls this item of the batch."""
    document: str = ""
    """The text that a request of `summarize` is about."""

    @classmethod
    def of(cls, submission: Submission, document: str = "") -> "Asked":
        return cls(
            job_id=submission.job_id,
            user_id=submission.user_id,
            request=submission.request,
            idempotency_key=submission.idempotency_key,
            batch=submission.batch,
            name=submission.name,
            document=document,
        )

    @property
    def messages(self) -> tuple[Message, ...]:
        return self.request.messages

    @property
    def text(self) -> str:
        """What the last message says."""
        return _text(self.messages[-1])

    @property
    def system(self) -> str:
        """What the system's messages say."""
        roles = ("system", "developer")
        return "\n".join(_text(each) for each in self.messages if each.role in roles)

    @property
    def texts(self) -> str:
        """What all messages and the document say."""
        return "\n".join([*map(_text, self.messages), self.document])

    def has(self, options: dict[str, Any]) -> bool:
        """Whether it was asked with these options. Raises `InvalidRequest` for what is none."""
        given = dict(options)
        key = given.pop("idempotency_key", self.idempotency_key)
        messages = [{"role": "user", "content": "?"}]
        wanted = CompletionRequest.checked(**{"messages": messages} | given)
        names = given.keys() & CompletionRequest.model_fields.keys()
        same = all(getattr(self.request, name) == getattr(wanted, name) for name in names)
        return same and key == self.idempotency_key

    def __str__(self) -> str:
        said = self.request.model_dump(mode="json", exclude_defaults=True, exclude={"messages"})
        options = ", ".join(f"{name}={value!r}" for name, value in said.items())
        return f"{self.user_id}: {self.texts.strip()!r} {options}".rstrip()


def _text(message: Message) -> str:
    return "\n".join(each.text for each in message.parts if isinstance(each, TextPart))
