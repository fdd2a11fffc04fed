"""`FakeCompletions`: what a test says is answered, and what it finds was asked."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Unpack

from ..contract.options import Options
from ..contract.submission import Submission
from .asked import Asked
from .memory import Reply
from .memory_batches import MemoryLedger
from .scripts import Answer, Rule, outcome_of

DEFAULT = "a fake answer"


class FakeCompletions:
    """Answers every job of this process in memory, for as long as `faked()` lasts."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        """Every request that was submitted, oldest first."""
        self.ledger = MemoryLedger(self._reply)
        self._rules = [Rule((DEFAULT,), None, 0.0)]

    @property
    def last(self) -> Asked:
        """The latest request. Raises `AssertionError` if there is none."""
        assert self.asked, "nothing was asked"
        return self.asked[-1]

    def answers(
        self,
        *what: Answer,
        when: str | Callable[[Asked], bool] | None = None,
        after_s: float = 0.0,
    ) -> None:
        """From now on, this is answered: one after the other, and the last of them ever after.

        `what`: a text; a dict, list or pydantic object, which is JSON (`parsed`); a `Completion`; a
        `JobError` or its class; or a function of an `Asked` that returns one of these. For `embed`
        a vector, or a list of them.

        `when`: only of requests in which this text is, or for which this function is true; of all
        that fit, what was said last holds. `after_s`: seconds until the job ends; `math.inf`: when
        it is released.
        """
        if not what:
            raise TypeError("answers() needs an answer")
        self._rules.insert(0, Rule(what, when, after_s))

    def holds(self, when: str | Callable[[Asked], bool] | None = None) -> None:
        """From now on jobs wait until `release()`."""
        self.answers(DEFAULT, when=when, after_s=math.inf)

    def release(self) -> None:
        """Every job that waits is answered now."""
        self.ledger.release()

    @contextmanager
    def away(self, reason: str = "Redis does not answer: a test says so") -> Iterator[None]:
        """Inside the block every call raises `Unavailable`."""
        self.ledger.trouble = reason
        try:
            yield
        finally:
            self.ledger.trouble = ""

    def matching(
        self, text: str = "", user_id: str | None = None, **options: Unpack[Options]
    ) -> list[Asked]:
        """The requests in which `text` is, of the user and with the options, oldest first."""
        return [
            each
            for each in self.asked
            if text in each.texts and user_id in (None, each.user_id) and each.has({**options})
        ]

    def assert_asked(
        self,
        text: str = "",
        user_id: str | None = None,
        times: int | None = None,
        **options: Unpack[Options],
    ) -> Asked:
        """Some request was like this, or exactly so many were. Returns the latest of them.

        Raises `AssertionError`, which shows all that was asked.
        """
        found = self.matching(text, user_id, **options)
        wanted = {"text": text, "user_id": user_id} | {**options}
        said = {name: value for name, value in wanted.items() if value not in ("", None)}
        count = "no request" if not found else f"{len(found)} requests"
        expected = "" if times is None else f", and not {times}"
        is_right = len(found) == times if times is not None else bool(found)
        assert is_right, f"{count} with {said}{expected}. {self._shown()}"
        return found[-1] if found else self.last

    def assert_nothing_asked(self) -> None:
        assert not self.asked, self._shown()

    def _shown(self) -> str:
        lines = "".join(f"\n  {each}" for each in self.asked)
        return f"Asked were {len(self.asked)}:{lines}"

    def _reply(self, submission: Submission, document: str) -> Reply:
        asked = Asked.of(submission, document)
        self.asked.append(asked)
        rule = next(each for each in self._rules if each.fits(asked))
        return Reply(outcome_of(asked, rule.next()), rule.after_s)
