"""What the protocols of the wire server share: what is answered, and what an event means."""

from abc import ABC, abstractmethod

TEXT = "A wired answer, always the same."
PLAIN = {"text": TEXT}
CALLING = {"text": "", "calls": [{"id": "call_1", "name": "f", "args": {"x": 1}}]}
"""What is answered: text and calls, before a protocol gives them its shape."""

SAID = "the provider's words, with sk-secret and the prompt"


def tokens(request: dict, options: dict) -> tuple[int, int]:
    """Input and output: as the event says, else from the size of the request."""
    turns = request.get("messages") or request.get("contents") or request["input"]
    prompt = sum(len(str(turn.get("content") or turn.get("parts"))) for turn in turns) // 4
    return int(options.get("in", prompt)), int(options.get("out", 12))


class Protocol(ABC):
    """`errors`: event -> the provider's code for it.

    An event is an HTTP status, or a name with its status in `statuses`.
    """

    errors: dict[str, str | None]
    statuses: dict[str, int]

    @abstractmethod
    def error(self, name: str, options: dict) -> tuple[int, dict]:
        """HTTP status and body."""

    @abstractmethod
    def answer(self, request: dict, name: str, options: dict, reply: dict) -> dict:
        """The body of a 200 that says `reply`."""
