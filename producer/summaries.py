"""Summaries of documents: one (`summarize.delay`) or a batch of them (`summarize`). The worker
reads long ones in parts.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .batches import Batch
from .client import Job, complete
from .contract.completions import Completion
from .contract.errors import InvalidRequest
from .documents import Document
from .ledger_client import ledger

STYLES = {
    "abstract": "Summarise the document in an abstract",
    "bullets": "Summarise the document as a Markdown list of its main points, one line each",
}


@dataclass(frozen=True)
class Estimate:
    """What summarising would take. Dollars: `low` expects short answers, `high` is the worst case
    of every call.
    """

    documents: int
    wrong: int
    calls: int
    tokens: int
    low_usd: float
    high_usd: float
    left_usd: float | None = None
    """What the budgets of the user, their group and the fleet leave now; None without a limit."""


def instruction(
    style: str = "abstract", max_words: int | None = None, language: str | None = None
) -> str:
    """What is asked about each document. `style`: one of `STYLES`, or a prompt of your own."""
    words = f", in at most {max_words} words" if max_words else ""
    tongue = f" Write in {language}." if language else " Write in the document's language."
    return (
        f"{STYLES.get(style, style)}{words}." + tongue
        if style in STYLES
        else f"{style}{words}{tongue if language else ''}"
    )


class Summarize:
    """Callable; `delay` is its one-document twin."""

    def __call__(
        self,
        documents: Iterable[Document | str],
        user_id: str,
        style: str = "abstract",
        max_words: int | None = None,
        language: str | None = None,
        batch_id: str | None = None,
        label: str = "",
        max_usd: float | None = None,
        **options: Any,
    ) -> Batch:
        """A batch with a summary per document, which are read and stored one after the other.

        `documents`: `Document`s (`producer.documents.read` makes them from files), or plain texts.
        A wrong one fails alone. `options` as in `complete`. Raises like `Batch.submit`.
        """
        asked = instruction(style, max_words, language)
        items = (_item(each, asked) for each in documents)
        return Batch.submit(
            items, user_id, batch_id, label, max_usd, **({"temperature": 0} | options)
        )

    def delay(
        self,
        document: Document | str,
        user_id: str,
        style: str = "abstract",
        max_words: int | None = None,
        language: str | None = None,
        **options: Any,
    ) -> Job:
        """One document, interactively: a job whose value is the summary. Raises like
        `complete.delay`.
        """
        item = _item(document, instruction(style, max_words, language))
        if wrong := item.get("wrong"):
            raise wrong
        job: Job = complete.delay(
            user_id=user_id,
            **{
                "temperature": 0,
                **options,
                "messages": item["messages"],
                "document": item["document"],
            },
        )
        return job


summarize = Summarize()


def estimate(
    documents: Iterable[Document | str], user_id: str, style: str = "abstract", **options: Any
) -> Iterator[Estimate]:
    """What `summarize` would take: the sum so far, after each document. A worker counts and prices;
    nothing is paid.
    """
    items = ({**_item(each, instruction(style)), "plan": True} for each in documents)
    plan = Batch.submit(
        items, user_id, label="plan", retention_s=3600, **({"temperature": 0} | options)
    )
    so_far = Estimate(0, 0, 0, 0, 0.0, 0.0)
    for item in plan.as_completed():
        if isinstance(item.outcome, Completion):
            told = json.loads(item.outcome.text)
            so_far = Estimate(
                so_far.documents + 1,
                so_far.wrong,
                so_far.calls + told["calls"],
                so_far.tokens + told["tokens"],
                so_far.low_usd + told["low_usd"],
                so_far.high_usd + told["high_usd"],
                told["left_usd"],
            )
        else:
            so_far = Estimate(**{**so_far.__dict__, "wrong": so_far.wrong + 1})
        yield so_far


def _item(document: Document | str, asked: str) -> dict[str, Any]:
    """The request about it; its text goes into the ledger once, whoever else needs it."""
    document = Document("", document) if isinstance(document, str) else document
    if document.wrong or not document.text.strip():
        return {"name": document.name, "wrong": document.wrong or InvalidRequest("document: empty")}
    text = document.text.encode("utf-8", "replace").decode()
    sha = hashlib.sha256(text.encode()).hexdigest()
    ledger().keep_document(sha, text)
    return {
        "name": document.name,
        "document": sha,
        "messages": [{"role": "user", "content": asked}],
    }
