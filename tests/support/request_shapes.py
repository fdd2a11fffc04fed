"""Files of requests in all shapes that people have, and what becomes of each; the table of
docs/batches.md is made of them.
"""

import bz2
import gzip
import io
import json
import lzma
from typing import NamedTuple

PROMPT = "Classify: {text}"


class Shape(NamedTuple):
    """One file. `asked`: the names of the requests that are asked. `told`: what is said of the
    others, or why the file is refused (then `asked` is empty). `lines`: how many requests it has.
    """

    name: str
    about: str
    data: bytes
    asked: tuple[str, ...] = ("a", "b")
    told: str = ""
    lines: int = 2
    prompt: str = ""
    is_openai: bool = True


def line(custom_id="a", **body):
    """In OpenAI's form."""
    asked = [{"role": "user", "content": "Grüße"}]
    body = {"model": "gpt-4o-mini", "messages": asked} | body
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}


def ours(name="a", **fields):
    """In our own form."""
    return {"messages": [{"role": "user", "content": "Grüße"}], "name": name} | fields


def lines(*objects, end="\n"):
    """Objects as JSON lines; texts as they are."""
    texts = (
        each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in objects
    )
    return "".join(f"{text}{end}" for text in texts)


def parquet():
    """A Parquet file of two rows; b"" without the extra."""
    try:
        import pyarrow
        from pyarrow import parquet as files
    except ImportError:
        return b""
    rows = [{"id": "a", "text": "Grüße", "stars": 5}, {"id": "b", "text": "Ça va", "stars": None}]
    file = io.BytesIO()
    files.write_table(pyarrow.Table.from_pylist(rows), file)
    return file.getvalue()


A, B = line("a"), line("b")
TWO = lines(A, B).encode()
TABLE = 'id,text\na,Grüße\nb,"Ça\nva, oui"\n'

READ = [
    Shape("plain.jsonl", "OpenAI's form", TWO),
    Shape("ours.jsonl", "our own form", lines(ours(), ours("b")).encode(), is_openai=False),
    Shape("mark.jsonl", "a byte-order mark", b"\xef\xbb\xbf" + TWO),
    Shape(
        "joined.jsonl",
        "two files with marks, joined",
        b"".join(b"\xef\xbb\xbf" + lines(each).encode() for each in (A, B)),
    ),
    Shape("utf16.jsonl", "UTF-16", TWO.decode().encode("utf-16")),
    Shape("utf16be.jsonl", "UTF-16 without a mark", TWO.decode().encode("utf-16-be")),
    Shape("utf32.jsonl", "UTF-32", TWO.decode().encode("utf-32")),
    Shape("packed.jsonl.gz", "gzip", gzip.compress(TWO)),
    Shape("wide.jsonl.gz", "gzip of UTF-16", gzip.compress(TWO.decode().encode("utf-16"))),
    Shape("packed.jsonl.bz2", "bzip2", bz2.compress(TWO)),
    Shape("packed.jsonl.xz", "xz", lzma.compress(TWO)),
    Shape("windows.jsonl", "line ends of Windows", lines(A, B, end="\r\n").encode()),
    Shape("mac.jsonl", "line ends of old Macs", lines(A, B, end="\r").encode()),
    Shape("blank.jsonl", "blank lines, no end", b"\n \n" + TWO.replace(b"\n", b"\n\n").rstrip()),
    Shape("end.jsonl", "zeros or Ctrl-Z at its end", TWO + b"\x1a\0\0\0"),
    Shape("joined.json", "JSON objects without line ends", TWO.replace(b"\n", b"")),
    Shape("array.json", "a JSON array", json.dumps([A, B]).encode()),
    Shape("lines.json", "a JSON array over lines", json.dumps([A, B], indent=1).encode()),
    Shape("pretty.json", "JSON objects over lines", lines(json.dumps(A, indent=2), B).encode()),
    Shape(
        "separator.jsonl",
        "U+2028 and U+0085 in a text",
        lines(
            ours("a", messages=[{"role": "user", "content": "x\u2028y\x85z"}]), ours("b")
        ).encode(),
        is_openai=False,
    ),
    Shape(
        "null.jsonl",
        "null and empty fields",
        lines(line("a", temperature=None, stop="", tools=[], seed=None, metadata={}), B).encode(),
    ),
    Shape(
        "dialogue.jsonl",
        "answers sent back, as OpenAI gives them",
        lines(
            line(
                "a",
                messages=[
                    {"role": "user", "content": "1"},
                    {
                        "role": "assistant",
                        "content": "2",
                        "refusal": None,
                        "annotations": [],
                        "tool_calls": None,
                        "audio": None,
                        "function_call": None,
                    },
                    {"role": "user", "content": "3"},
                ],
            ),
            B,
        ).encode(),
    ),
    Shape("table.csv", "CSV", TABLE.encode(), prompt=PROMPT, is_openai=False),
    Shape(
        "sheet.csv",
        "CSV with semicolons and a mark",
        TABLE.replace(",", ";").encode("utf-8-sig"),
        prompt=PROMPT,
        is_openai=False,
    ),
    Shape(
        "excel.csv",
        "CSV with Excel's `sep=`",
        b"sep=;\r\nid;text\r\na;x, y\r\nb;z\r\n",
        prompt=PROMPT,
        is_openai=False,
    ),
    Shape("table.tsv", "tabs", b"id\ttext\na\tx\nb\ty, z\n", prompt=PROMPT, is_openai=False),
    Shape(
        "rows.jsonl",
        "rows as JSON lines",
        lines({"id": "a", "text": "x"}, {"id": "b", "text": "y"}).encode(),
        prompt=PROMPT,
        is_openai=False,
    ),
    Shape("table.parquet", "Parquet (extra `tables`)", parquet(), prompt=PROMPT, is_openai=False),
]
"""All of them are asked."""

PARTLY = [
    Shape("cut.jsonl", "cut off in its last line", TWO[:-40], ("a",), "line 2: not JSON"),
    Shape(
        "comma.jsonl",
        "a comma behind a line",
        lines(json.dumps(A) + ",", B).encode(),
        ("b",),
        "line 1: not JSON (Extra data",
    ),
    Shape(
        "first.jsonl",
        "a first line that is no JSON",
        b"{oops\n" + TWO,
        ("a", "b"),
        "line 1: not JSON",
        3,
    ),
    Shape(
        "latin.jsonl",
        "a byte that is no UTF-8",
        TWO.replace("ü".encode(), b"\xfc", 1),
        ("b",),
        "line 1: no UTF-8",
    ),
    Shape(
        "surrogate.jsonl",
        "half a character",
        lines(A, B).replace("Grüße", "\\ud83d", 1).encode(),
        ("b",),
        "line 1: messages[0].content: holds half of a character",
    ),
    Shape(
        "others.jsonl",
        "another endpoint, a parameter that changes the answer",
        lines(
            A | {"url": "/v1/embeddings"}, line("b", audio={"voice": "alloy"}), line("c")
        ).encode(),
        ("c",),
        "line 2: body.audio cannot be honoured",
        3,
    ),
    Shape(
        "cells.csv",
        "rows with missing or more cells",
        b"id,text\na,x\nb,\nc,y,z\n",
        ("a",),
        "row 3: has 3 cells, the header has 2",
        3,
        PROMPT,
        is_openai=False,
    ),
]
"""Their wrong requests fail alone."""

REFUSED = [
    Shape("empty.jsonl", "empty", b"", (), "holds no requests"),
    Shape(
        "twice.jsonl",
        "an id that is there twice",
        lines(A, A).encode(),
        (),
        "line 2: its custom_id is that of line 1, too",
    ),
    Shape(
        "noid.jsonl",
        "an id that is missing, null or a number",
        lines(A, line(None), line(7)).encode(),
        (),
        "line 2: needs a custom_id that is a text",
    ),
    Shape(
        "mixed.jsonl",
        "both forms",
        lines(ours(), A).encode(),
        (),
        "line 1: needs a custom_id that is a text",
    ),
    Shape(
        "comma.json",
        "an array with a comma at its end",
        f"[{json.dumps(A)},\n]".encode(),
        (),
        "Expecting value at line 2, column 1",
    ),
    Shape("damaged.gz", "gzip that is cut off", gzip.compress(TWO)[:-9], (), "damaged"),
    Shape("archive.zip", "a zip archive or a workbook", b"PK\x03\x04...", (), "is a zip archive"),
    Shape("letter.txt", "no requests at all", b"Dear Sir,\n", (), "line 1: not JSON"),
    Shape("bare.csv", "CSV without --prompt", TABLE.encode(), (), "Fix: --prompt"),
    Shape(
        "column.csv",
        "a prompt with another column",
        b"id,body\na,x\n",
        (),
        "there is no column 'text'. There are: id, body",
        prompt=PROMPT,
    ),
    Shape(
        "quote.csv",
        "a quote that does not end",
        b'id,text\na,"x\nb,y\n',
        (),
        "row 1: unexpected end of data",
        prompt=PROMPT,
    ),
]
"""As a whole, before anything is submitted."""
SHAPES = [*READ, *PARTLY, *REFUSED]


def table():
    """The table of docs/batches.md."""
    rows = ["| a file of requests | what becomes of it | message |", "|---|---|---|"]
    for shape in SHAPES:
        outcome = "all are asked"
        if not shape.asked:
            outcome = "refused"
        elif shape.told:
            outcome = f"{len(shape.asked)} of {shape.lines} are asked"
        message = f"`{shape.told}`" if shape.told else ""
        rows.append(f"| {shape.about} | {outcome} | {message} |")
    return "\n".join(rows)
