"""Tables that only lay out a page: what is in them are blocks, so that the tables in them stay."""

import re

_PART = re.compile(
    r"<(/?)(table|thead|tbody|tfoot|tr|td|th|caption|colgroup|col)\b"
    r"""((?:[^<>"']|"[^"]*"|'[^']*')*)>""",
    re.IGNORECASE,
)
_BLOCKS = {"td": "div", "th": "div", "caption": "div"}
"""Parts of a table -> the blocks that they become; others vanish."""


def without_tables_around_tables(page: str) -> str:
    """Tables have no tables in their cells in Markdown: the inner one would lose its form."""
    around = _around(page)
    if not around:
        return page
    open_ones: list[int] = []

    def replaced(part: re.Match[str]) -> str:
        name = part[2].lower()
        if name == "table" and not part[1]:
            open_ones.append(part.start())
        is_layout = bool(open_ones) and open_ones[-1] in around
        if name == "table" and part[1] and open_ones:
            open_ones.pop()
        if not is_layout:
            return part[0]
        block = _BLOCKS.get(name)
        return f"<{part[1]}{block}{part[3]}>" if block else ""

    return _PART.sub(replaced, page)


def _around(page: str) -> set[int]:
    """Where the tables begin that have others in them."""
    around = set()
    open_ones: list[int] = []
    for part in _PART.finditer(page):
        if part[2].lower() != "table":
            continue
        if part[1]:
            del open_ones[-1:]
            continue
        around.update(open_ones)
        open_ones.append(part.start())
    return around
