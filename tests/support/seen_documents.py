"""Documents with little to see and much to send, and what a reader of each sees."""

from typing import NamedTuple

from support.corpus_mail import message
from support.made_documents import TEXT

PICTURE = "data:image/png;base64," + "iVBORw0KGgo" * 2000
URL = "https://example.org/track?" + "campaign=autumn&" * 30


class Seen(NamedTuple):
    name: str
    data: bytes
    seen: str


MAIL = message(f"{TEXT}\nIda", ("pier.png", "image/png", bytes(range(256)) * 3000))
NOTE = f"""# Log

{TEXT}

![pier]({PICTURE})

It was dark. More ships than ever came in that year, and nearly all of them left again.

![quay]({PICTURE})
"""
PAGE = f"""<!doctype html><html><head><title>Harbour log</title>
<style>{"p {color: red}" * 200}</style>
<script>{"track();" * 500}</script></head><body>
<nav><ul><li><a href="{URL}">Home</a></li><li><a href="{URL}">Ships</a></li></ul></nav>
<h1>Harbour log</h1><p>{TEXT} <a href="{URL}">Read more</a></p>
<img src="{PICTURE}" alt="The pier at dawn"><img src="{URL}" width=1 height=1 alt="">
<svg><path d="{"M0 0 L9 9 " * 300}"/></svg><p style="display:none">{"hidden " * 99}</p>
<table><tr><th>Year</th><th>Loss</th></tr><tr><td>2021</td><td>7</td></tr></table>
<p>{"All of it is told in the book of the harbour. " * 4}</p></body></html>"""

SEEN = [
    Seen("mail.eml", MAIL.as_bytes(), f"From: Ida <ida@example.org>\nSubject: Ships\n{TEXT}\nIda"),
    Seen(
        "note.md",
        NOTE.encode(),
        f"# Log\n{TEXT}\npier\nIt was dark. More ships than ever came in that year, and nearly all "
        "of them left again.\nquay",
    ),
    Seen(
        "page.html",
        PAGE.encode(),
        f"Harbour log\nHome\nShips\nHarbour log\n{TEXT} Read more\nThe pier at dawn\n"
        "| Year | Loss |\n| 2021 | 7 |\n" + "All of it is told in the book of the harbour. " * 4,
    ),
]
