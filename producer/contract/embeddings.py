"""Embeddings: texts as vectors. A job of them is a request whose messages are the texts, one each;
its answer is a completion with vectors and without a text.
"""

import base64
import re
import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field

from .arguments import named
from .completions import Completion, CostBasis, Usage, Vectors
from .content import Frozen
from .errors import InvalidRequest

MOST_TEXTS = 2_048
"""OpenAI's limit for one call."""
MOST_BYTES = 16_000_000
"""Of the vectors of one job, four for each number: the ledger, its cache and the result backend all
hold them, as text a third larger. 2,048 vectors of 1,536 numbers have 12.6 MB.
"""

OPTIONS = frozenset(
    {
        "avoid",
        "cache",
        "cache_namespace",
        "cache_scope",
        "deadline_s",
        "idempotency_key",
        "lane",
        "metadata",
        "model",
        "on_outage",
        "over_limit",
        "provider_options",
        "tags",
        "timeout_s",
    }
)
"""Of `complete`'s, those that mean something for embeddings."""


class Embedding(Frozen):
    """What kind of vectors is asked for."""

    dimensions: Annotated[int, Field(ge=1, le=65_536, strict=True)] | None = None
    """Numbers of each vector; None: as the model makes them."""


class Embeddings(Frozen):
    """Vectors of the texts, in their order. Its repr shows none of them.

    Fields are those of `Completion`.
    """

    model_config = ConfigDict(extra="forbid")

    data: Annotated[bytes, Field(repr=False)]
    """All vectors, one behind the other, as little-endian 32-bit floats:
    `numpy.frombuffer(found.data, "<f4").reshape(-1, found.dimensions)`.
    """
    dimensions: int
    """Numbers of each vector."""
    model: str
    provider: str
    usage: Usage
    cost_usd: float
    maybe_billed_usd: float
    cost_basis: CostBasis
    provider_cost_usd: float | None
    cached: bool
    age_s: float | None
    flags: tuple[str, ...]
    attempts: int
    latency_ms: int
    request_id: str

    @classmethod
    def of(cls, answer: Completion) -> Self:
        """Raises `InvalidRequest` if the job was not one of embeddings."""
        if answer.vectors is None:
            raise InvalidRequest(
                f"job {answer.request_id} answers with text, and has no vectors. "
                "Fix: read it with complete.AsyncResult(id)"
            )
        names = cls.model_fields.keys() - {"data", "dimensions"}
        return cls(
            data=base64.b64decode(answer.vectors.data),
            dimensions=answer.vectors.dimensions,
            **{name: getattr(answer, name) for name in names},
        )

    def __len__(self) -> int:
        return len(self.data) // (4 * self.dimensions)

    @property
    def arrays(self) -> list["array[float]"]:
        """Each vector as an array of 32-bit floats: an eighth of a list's memory."""
        numbers = _numbers(self.data)
        size = self.dimensions
        return [numbers[start : start + size] for start in range(0, len(numbers), size)]

    @property
    def vectors(self) -> list[list[float]]:
        """Each vector as a list of floats."""
        return [each.tolist() for each in self.arrays]

    def to_openai(self) -> dict[str, Any]:
        """As OpenAI's API gives them out, with numbers, which its SDK reads."""
        used = self.usage.input
        return {
            "object": "list",
            "data": [
                {"object": "embedding", "index": number, "embedding": vector}
                for number, vector in enumerate(self.vectors)
            ],
            "model": self.model,
            "usage": {"prompt_tokens": used, "total_tokens": used},
        }


def compact(rows: Sequence["array[float]"]) -> Vectors:
    """Vectors of one size as they are stored. Takes arrays of 32-bit floats."""
    data = b"".join(map(_little_endian, rows))
    return Vectors(dimensions=len(rows[0]), data=base64.b64encode(data).decode())


def as_vectors(rows: Iterable[Iterable[float]]) -> Vectors:
    """Vectors of one size, whatever they are sequences of, as they are stored."""
    return compact([array("f", row) for row in rows])


def unpacked(data: bytes) -> "array[float]":
    """The numbers of a vector in little-endian 32-bit floats."""
    return _numbers(data)


def called_with(args: Any, kwargs: Any) -> dict[str, Any]:
    """The arguments of `complete` that `embed(*args, **kwargs)` stands for.

    Raises `InvalidRequest`, whatever the arguments are.
    """
    too_many = "embed takes two positional arguments, texts and user_id. Fix: name the others"
    fields = named(("texts", "user_id"), args or (), kwargs or {}, too_many)
    user = {"user_id": fields.pop("user_id")} if "user_id" in fields else {}
    if "texts" not in fields:
        raise InvalidRequest("texts: required and missing. Fix: add it", {"fields": ["texts"]})
    return request_fields(fields.pop("texts"), fields.pop("dimensions", None), **fields) | user


def request_fields(texts: Any, dimensions: Any = None, **options: Any) -> dict[str, Any]:
    """The arguments of `complete` that ask for vectors. Raises `InvalidRequest`."""
    unknown = options.keys() - OPTIONS
    if unknown:
        name = min(unknown)
        raise InvalidRequest(
            f"{name}: not an option of embed. Fix: remove it or check its spelling",
            {"fields": [name]},
        )
    messages = [{"role": "user", "content": text} for text in _checked(texts)]
    return {"messages": messages, "embedding": {"dimensions": dimensions}, **options}


def as_texts(error: InvalidRequest) -> InvalidRequest:
    """The error of such a request in the words of who gave texts."""
    fields = [_MESSAGE.sub(r"texts\1", each) for each in error.details.get("fields", ())]
    message = _MESSAGE.sub(r"texts\1", error.message).replace("embedding.dim", "dim")
    fields = [each.replace("embedding.dim", "dim") for each in fields]
    return InvalidRequest(message, {**error.details, "fields": fields})


_MESSAGE = re.compile(r"messages(\[\d+\])(\.content)?")


def _checked(texts: Any) -> Sequence[str]:
    if isinstance(texts, str):
        return (texts,)
    if not isinstance(texts, list | tuple):
        raise InvalidRequest(
            f"texts: needs a list of texts, this one is a {type(texts).__name__}. "
            "Fix: pass list(texts)",
            {"fields": ["texts"]},
        )
    if not 1 <= len(texts) <= MOST_TEXTS:
        raise InvalidRequest(
            f"texts: {len(texts):,} texts, and one job takes 1 to {MOST_TEXTS:,}. "
            "Fix: split them into several jobs",
            {"fields": ["texts"]},
        )
    for number, text in enumerate(texts):
        if not isinstance(text, str) or not text.strip():
            found = "is empty" if isinstance(text, str) else f"is a {type(text).__name__}"
            place = f"texts[{number}]"
            raise InvalidRequest(
                f"{place}: {found}, and has no vector. Fix: leave it out",
                {"fields": [place]},
            )
    return texts


def _numbers(data: bytes) -> "array[float]":
    numbers = array("f")
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _little_endian(row: "array[float]") -> bytes:
    if sys.byteorder == "big":
        row = row[:]
        row.byteswap()
    return row.tobytes()
