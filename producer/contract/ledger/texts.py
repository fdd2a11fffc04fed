"""Has the ledger keep the large texts of jobs before they are submitted."""

from collections import Counter
from collections.abc import Iterable, Mapping

from .calls import ExpectedText, ExpectTexts, KeepText
from .functions import Functions


def keep_texts(
    functions: Functions, uploads: Functions, texts_of_jobs: Iterable[Mapping[str, str]]
) -> None:
    """`texts_of_jobs`: of each job that will be submitted, hash -> text. What the ledger has is not
    sent again. `uploads`: the functions on a connection that has time for large texts.
    """
    texts: dict[str, str] = {}
    expected: Counter[str] = Counter()
    for each in filter(None, texts_of_jobs):
        texts.update(each)
        expected.update(each.keys())
    if not texts:
        return
    missing = _expect(functions, expected)
    for sha in missing:
        uploads(KeepText(sha, texts[sha]))
    _expect(functions, missing - Counter(dict.fromkeys(missing, 1)))


def _expect(functions: Functions, expected: Counter[str]) -> Counter[str]:
    """How many jobs expect each text that is missing."""
    items = tuple(ExpectedText(sha) for sha in expected.elements())
    if not items:
        return Counter()
    return Counter(functions(ExpectTexts(items)).missing)
