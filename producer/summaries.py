"""Summaries of documents: of one (`summarize.delay`), or a batch of them (`summarize`).

The worker reads long documents in parts.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath
from typing import Any, Unpack
from uuid import uuid4

from .batch_items import Item
from .batches import POLL_S, RETENTION_S, Batch
from .client import complete
from .contract.completions import Completion
from .contract.errors import InvalidRequest
from .contract.options import Options
from .contract.stored_texts import sha_of
from .documents import Document, documents_of
from .filling import Asked, Filling, opened
from .jobs import Job
from .patience import Patience

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


PLAN_KEPT_S = 3600


@dataclass(frozen=True)
class Estimate:
    """What summarising would take."""

    documents: int = 0
    """Without those that cannot be read."""
    wrong: int = 0
    """Documents that cannot be read."""
    calls: int = 0
    tokens: int = 0
    low_usd: float = 0.0
    """Dollars if the answers are short."""
    high_usd: float = 0.0
    """Dollars in the worst case of every call."""
    left_usd: float | None = None
    """Dollars that the budgets of the user, their group and the fleet leave now; None: no limit."""
    usd_per_day: float | None = None
    """The tightest of these budgets, a day; None: no limit."""
    left_tokens: int | None = None
    """Tokens that the limits of the user and their group leave now; None: no limit."""
    tokens_per_hour: int | None = None
    """The tightest of these limits; None: no limit."""
    call_s: float | None = None
    """Seconds that a call to the first link took on average lately; None: there was none."""
    at_once: int = 0
    """Calls that the fleet has slots for."""
    price_known: bool = True
    """If not, the dollars are by the ceiling for models without a known price."""
    name: str = ""
    """The document that was counted last."""
    name_tokens: int = 0
    """Tokens of that document; 0: it cannot be read."""
    name_wrong: str = ""
    """Why not; "" if it can."""

    def with_one(self, item: Item) -> "Estimate":
        """The sum with one more document, whose plan has ended."""
        if not isinstance(item.outcome, Completion):
            reason = str(item.outcome or item.state)
            wrong = self.wrong + 1
            return replace(self, wrong=wrong, name=item.name, name_tokens=0, name_wrong=reason)
        planned = json.loads(item.outcome.text)
        left = {name: planned[name] for name in _LEFT if name in planned}
        return replace(
            self,
            documents=self.documents + 1,
            calls=self.calls + planned["calls"],
            tokens=self.tokens + planned["tokens"],
            low_usd=self.low_usd + planned["low_usd"],
            high_usd=self.high_usd + planned["high_usd"],
            price_known=self.price_known and planned.get("price_known", True),
            name=item.name,
            name_tokens=planned["tokens"],
            name_wrong="",
            **left,
        )


_LEFT = ("left_usd", "usd_per_day", "left_tokens", "tokens_per_hour", "call_s", "at_once")


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
        documents: Iterable[Document | str | os.PathLike[str]] | os.PathLike[str],
        user_id: str,
        style: str = "abstract",
        max_words: int | None = None,
        language: str | None = None,
        batch_id: str | None = None,
        label: str = "",
        max_usd: float | None = None,
        **options: Unpack[Options],
    ) -> Batch:
        """A batch with a summary per document.

        `documents`: texts (a list, a column of a data frame), `pathlib.Path`s of files and folders,
        or `Document`s (`producer.documents.read` makes them); they are read and stored one after
        the other. A wrong one fails alone, a skipped one is left out. `options` as in `complete`.
        Raises like `Batch.submit`.
        """
        prompt = instruction(style, max_words, language)
        taken = (each for each in documents_of(documents) if not each.skipped)
        requests = (_asked(each, prompt).stored() for each in taken)
        wanted: Options = {"temperature": 0, **options}
        return Batch.submit(requests, user_id, batch_id, label, max_usd, **wanted)

    def begin(
        self,
        documents: Iterable[Document | str],
        user_id: str,
        style: str = "abstract",
        max_words: int | None = None,
        language: str | None = None,
        batch_id: str | None = None,
        label: str = "",
        max_usd: float | None = None,
        on_full: Callable[[str], None] | None = None,
        **options: Unpack[Options],
    ) -> Filling:
        """The same batch, submitted in the background and by and by: see `Filling`."""
        prompt = instruction(style, max_words, language)
        asked = (_asked(each, prompt) for each in documents_of(documents) if not each.skipped)
        wanted = {"temperature": 0, **options}
        batch = (batch_id or str(uuid4()), user_id, label, max_usd, RETENTION_S, wanted)
        return Filling(opened(*batch, on_full=on_full), asked, on_full)

    def delay(
        self,
        document: Document | str,
        user_id: str,
        style: str = "abstract",
        max_words: int | None = None,
        language: str | None = None,
        **options: Unpack[Options],
    ) -> Job:
        """An interactive job whose value is the summary. Raises like `complete.delay`."""
        request = _asked(document, instruction(style, max_words, language)).stored()
        if wrong := request.get("wrong"):
            raise wrong
        del request["name"]
        fields = {"temperature": 0, **options, **request}
        return complete.delay(user_id=user_id, **fields)

    async def adelay(
        self,
        document: Document | str,
        user_id: str,
        style: str = "abstract",
        max_words: int | None = None,
        language: str | None = None,
        **options: Unpack[Options],
    ) -> Job:
        """`delay` for async code."""
        how = (style, max_words, language)
        return await asyncio.to_thread(self.delay, document, user_id, *how, **options)


summarize = Summarize()


def estimate(
    documents: Iterable[Document | str],
    user_id: str,
    style: str = "abstract",
    on_full: Callable[[str], None] | None = None,
    on_wait: Callable[[str], None] | None = None,
    **options: Unpack[Options],
) -> Iterator[Estimate]:
    """What `summarize` would take: the sum so far, after each document.

    A worker counts and prices; nothing is paid. `on_full` as in `Filling`; `on_wait` is told what
    trouble has to pass first, as `Progress.waits_for`, at each look.
    """
    prompt = instruction(style)
    taken = (_asked(each, prompt) for each in documents_of(documents) if not each.skipped)
    plans = (each._replace(request=each.request | {"plan": True}) for each in taken)
    wanted = {"temperature": 0, **options}
    batch = (str(uuid4()), user_id, "plan", None, PLAN_KEPT_S, wanted)
    submitting = opened(*batch, on_full=on_full)
    so_far = Estimate()
    with Filling(submitting, plans, on_full) as filling:
        for item in _patiently_ended(filling.batch, on_wait):
            so_far = so_far.with_one(item)
            yield so_far
        filling.finish()


def _patiently_ended(batch: Batch, on_wait: Callable[[str], None] | None) -> Iterator[Item]:
    """Every item as it ends, also while the ledger is away for a moment."""
    patience = Patience()
    seen = 0
    while True:
        progress = patience.insist(batch.progress)
        if on_wait and progress.waits_for:
            on_wait(progress.waits_for)
        items, seen = patience.insist(partial(batch.ended_after, seen))
        yield from items
        if progress.over:
            return
        time.sleep(POLL_S)


def _asked(document: Document | str, prompt: str) -> Asked:
    """The request about a document."""
    if isinstance(document, str):
        document = Document("", document)
    stated = document.text
    if document.pictures and not stated.strip():
        stated = "All its pages are pictures."
    if document.wrong or not stated.strip():
        wrong = document.wrong or InvalidRequest("document: empty")
        return Asked({"name": document.name, "wrong": wrong})
    text = _named(document.name, stated).encode("utf-8", "replace").decode()
    messages = [{"role": "user", "content": _question(prompt, document.pictures)}]
    request = {"name": document.name, "document": sha_of(text), "messages": messages}
    return Asked(request, text)


def _question(prompt: str, pictures: tuple[str, ...]) -> str | list[dict[str, Any]]:
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
