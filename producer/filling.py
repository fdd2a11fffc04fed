"""A batch that is submitted in the background, no faster than it is worked off.

What waits for its turn is not stored in the ledger but read when there is room: a folder or a file
of requests may hold more text than the ledger's server has memory.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

from .batches import Batch
from .contract.errors import Conflict, JobError
from .contract.submission import CHUNK
from .current import ledger
from .patience import Patience
from .submitting import Submitting
from .window import Window

WINDOW_BYTES = 6_000_000
"""Of texts whose items have not ended. While its parts are read, a text is stored twice."""
PIECE_BYTES = 1_000_000
PIECE_S = 0.2
"""What was read so long ago is submitted, however little it is."""
POLL_S = 0.2
JOIN_S = 1.0


class Asked(NamedTuple):
    """A request, and the text that it is about."""

    request: dict[str, Any]
    text: str = ""
    """"" if it has none, because it cannot be run."""

    def stored(self) -> dict[str, Any]:
        """The request, when its text is in the ledger: once for all requests about it."""
        if self.text:
            ledger().keep_text(self.text)
        return self.request

    @property
    def about(self) -> list[Any]:
        """What takes room in the ledger."""
        return [self.text, self.request.get("messages", "")]


def opened(*batch: Any, on_full: Callable[[str], None] | None) -> Submitting:
    """`Submitting` with these arguments. A ledger that is full is waited for, one that is away is
    an error.
    """
    patience = Patience(on_full=on_full, away_s=0.0)
    return patience.insist(lambda: Submitting(*batch))


class _Stopped(Exception):
    pass


class Filling:
    """Submits from `with` on; what was not submitted when it is left, is not.

    A ledger that is away or full is waited for, see `Patience`. An error, also one inside `with`,
    ends the batch with what was submitted until then; one of the submission is raised by `finish`.
    """

    def __init__(
        self,
        submitting: Submitting,
        asked: Iterable[Asked],
        on_full: Callable[[str], None] | None = None,
        least: float = 1,
    ) -> None:
        """`least`: so many items may be in the ledger, whatever they take there."""
        self.batch = Batch(submitting.batch_id)
        self._submitting = submitting
        self._asked = asked
        self._insist = Patience(self._pause, on_full).insist
        self._least = least
        self._window = Window()
        self._seen = 0
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="submission", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(JOIN_S)
        is_error = kind is not None and issubclass(kind, Exception) and self._error is None
        if is_error and not self._thread.is_alive():
            with suppress(JobError):
                self._submitting.close()

    @property
    def is_going_on(self) -> bool:
        """Whether there may be more to come."""
        return self._thread.is_alive()

    def wait(self) -> None:
        """Until all was submitted, or something went wrong."""
        self._thread.join()

    def finish(self) -> None:
        """Wait until all was submitted. Raises what went wrong."""
        self.wait()
        self.check()

    def check(self) -> None:
        """Raises what went wrong until now."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            for piece in self._pieces():
                self._write(piece)
                self._wait_for_room()
            self._insist(self._submitting.close)
            if self._submitting.is_raised:
                self._insist(self.batch.retry_what_did_not_fit)
        except _Stopped:
            return
        except Conflict as error:  # it is another batch, which is not ours to end
            self._error = error
        except BaseException as error:  # noqa: BLE001 -- raised by `finish`
            self._error = error
            with suppress(JobError):
                self._submitting.close()

    def _pieces(self) -> Iterator[list[Asked]]:
        piece: list[Asked] = []
        size = 0
        began = time.monotonic()
        for each in self._asked:
            self._pause(0)
            piece.append(each)
            size += len(each.text) + len(str(each.request.get("messages", "")))
            is_old = time.monotonic() - began > PIECE_S
            if is_old or size > PIECE_BYTES or len(piece) == CHUNK:
                yield piece
                piece = []
                size = 0
                began = time.monotonic()
        if piece:
            yield piece

    def _write(self, piece: list[Asked]) -> None:
        """Texts of items that are there already are not stored again."""
        start = self._submitting.written
        job_ids = [f"{self.batch.id}.{start + number}" for number in range(len(piece))]
        found = self._insist(lambda: ledger().items(job_ids))
        requests = []
        for record, each in zip(found, piece, strict=True):
            if not record.state:
                self._insist(each.stored)
            requests.append(each.request)
            self._window.add(record.job_id, each.about)
        self._insist(lambda: self._submitting.add(requests))

    def _wait_for_room(self) -> None:
        while self._window.size > WINDOW_BYTES and len(self._window) >= self._least:
            ended = self._insist(lambda: ledger().ended_items(self.batch.id, self._seen))
            self._seen += len(ended)
            for job_id in ended:
                self._window.drop(job_id)
            if not ended:
                self._pause(POLL_S)

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise _Stopped
