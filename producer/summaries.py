"""Summaries of documents: of one (`summarize.delay`), or a batch of them (`summarize`).

The worker reads long documents in parts.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath
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

CODE = (
    ".bash .bat .c .cc .clj .cpp .cs .css .cxx .dart .erl .ex .exs .f90 .fs .go .gradle .groovy "
    ".h .hpp .hs .java .jl .js .jsx .kt .kts .less .lisp .lua .m .ml .mm .pas .php .pl .pm .ps1 "
    ".proto .py .pyi .r .rb .rs .scala .scss .sh .sql .svelte .swift .tcl .tf .ts .tsx .vb .vue "
    ".zig .zsh"
)
"""Endings of code, which is hard to understand without its file's name."""


@dataclass(frozen=True)
class Estimate:
    """What summarising would take."""

    documents: int
    """Without those that cannot be read."""
    wrong: int
    """Documents that cannot be read."""
    calls: int
    tokens: int
    low_usd: float
    """Dollars if the answers are short."""
    high_usd: float
    """Dollars in the worst case of every call."""
    left_usd: float | None = None
    """Dollars that the budgets of the user, their group and the fleet leave now; None: no limit."""
    price_known: bool = True
    """If not, the dollars are by the ceiling for models without a known price."""


def instruction(
    style: str = "abstract", max_words: int | None = None, language: str | None = None
) -> str:
    """What is asked about each document. `style`: one of `STYLES`, or a prompt of your own."""
    prompt = STYLES.get(style, style)
    if max_words:
        prompt += f", in at most {max_words} words"
    if style in STYLES:
        prompt += "."
        language = language or "the document's language"
    if language:
        prompt += f" Write in {language}."
    return prompt


class Summarize:
    """`summarize(documents, ...)` is a batch; `summarize.delay(document, ...)` is one job."""

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
        """A batch with a summary per document.

        `documents`: `Document`s (`producer.documents.read` makes them from files), or plain texts;
        they are read and stored one after the other. A wrong one fails alone, a skipped one is left
        out. `options` as in
        `complete`. Raises like `Batch.submit`.
        """
        prompt = instruction(style, max_words, language)
        requests = (_request(each, prompt) for each in documents if not _is_skipped(each))
        options = {"temperature": 0} | options
        return Batch.submit(requests, user_id, batch_id, label, max_usd, **options)

    def delay(
        self,
        document: Document | str,
        user_id: str,
        style: str = "abstract",
        max_words: int | None = None,
        language: str | None = None,
        **options: Any,
    ) -> Job:
        """An interactive job whose value is the summary. Raises like `complete.delay`."""
        request = _request(document, instruction(style, max_words, language))
        if wrong := request.get("wrong"):
            raise wrong
        del request["name"]
        fields = {"temperature": 0} | options | request
        job: Job = complete.delay(user_id=user_id, **fields)
        return job


summarize = Summarize()


def estimate(
    documents: Iterable[Document | str], user_id: str, style: str = "abstract", **options: Any
) -> Iterator[Estimate]:
    """What `summarize` would take: the sum so far, after each document.

    A worker counts and prices; nothing is paid.
    """
    prompt = instruction(style)
    taken = (each for each in documents if not _is_skipped(each))
    requests = (_request(each, prompt) | {"plan": True} for each in taken)
    options = {"temperature": 0} | options
    plan = Batch.submit(requests, user_id, label="plan", retention_s=3600, **options)
    so_far = Estimate(0, 0, 0, 0, 0.0, 0.0)
    for item in plan.as_completed():
        if isinstance(item.outcome, Completion):
            planned = json.loads(item.outcome.text)
            so_far = Estimate(
                documents=so_far.documents + 1,
                wrong=so_far.wrong,
                calls=so_far.calls + planned["calls"],
                tokens=so_far.tokens + planned["tokens"],
                low_usd=so_far.low_usd + planned["low_usd"],
                high_usd=so_far.high_usd + planned["high_usd"],
                left_usd=planned["left_usd"],
                price_known=so_far.price_known and planned.get("price_known", True),
            )
        else:
            so_far = replace(so_far, wrong=so_far.wrong + 1)
        yield so_far


def _is_skipped(document: Document | str) -> bool:
    return isinstance(document, Document) and bool(document.skipped)


def _request(document: Document | str, prompt: str) -> dict[str, Any]:
    """The request about a document, whose text is stored in the ledger once for all requests."""
    if isinstance(document, str):
        document = Document("", document)
    stated = document.text
    if document.pictures and not stated.strip():
        stated = "All its pages are pictures."
    if document.wrong or not stated.strip():
        return {"name": document.name, "wrong": document.wrong or InvalidRequest("document: empty")}
    text = _named(document.name, stated).encode("utf-8", "replace").decode()
    sha = hashlib.sha256(text.encode()).hexdigest()
    ledger().keep_document(sha, text)
    return {
        "name": document.name,
        "document": sha,
        "messages": [{"role": "user", "content": _asked(prompt, document.pictures)}],
    }


def _asked(prompt: str, pictures: tuple[str, ...]) -> str | list[dict[str, Any]]:
    if not pictures:
        return prompt
    note = "The pictures are pages of the document, in order: material to work on, too."
    images = [{"type": "image_url", "image_url": {"url": picture}} for picture in pictures]
    return [{"type": "text", "text": f"{prompt}\n\n{note}"}, *images]


def _named(name: str, text: str) -> str:
    """The text; of code below its file's name, which a worker repeats in each part."""
    path = PurePath(name)
    if path.suffix.lower() in CODE.split():
        return f"File {path.name}:\n\n{text}"
    return text
