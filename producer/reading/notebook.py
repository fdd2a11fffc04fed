"""Jupyter notebooks: texts, code and what the code printed; pictures are counted."""

import json
from typing import Any

from . import page
from .reading import Reading, Unreadable
from .text import decoded


def read(data: bytes) -> Reading:
    text, told = decoded(data)
    try:
        notebook = json.loads(text)
        cells = notebook.get("cells")
        if cells is None:
            cells = [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
    except (ValueError, AttributeError, KeyError, TypeError):
        raise Unreadable("damaged: no readable notebook") from None
    language = "python"
    metadata = notebook.get("metadata")
    if isinstance(metadata, dict):
        language = str((metadata.get("language_info") or {}).get("name") or language)
    reading = Reading("", told)
    texts = []
    for number, cell in enumerate(cells, start=1):
        try:
            texts.append(_cell(cell, language, reading))
        except (AttributeError, KeyError, TypeError):
            reading.left_out.append(f"cell {number} is damaged: not read")
    reading.text = "\n\n".join(filter(None, texts))
    return reading


def _cell(cell: dict[str, Any], language: str, reading: Reading) -> str:
    source = _joined(cell.get("source", cell.get("input", "")))
    if cell.get("cell_type") != "code":
        reading.left_out += [
            f"a picture in a text ({name})" for name in cell.get("attachments") or ()
        ]
        return source.strip()
    texts = []
    if source.strip():
        texts.append(f"```{language}\n{source}\n```")
    texts += [_output(output, reading) for output in cell.get("outputs") or ()]
    return "\n".join(filter(None, texts))


def _output(output: dict[str, Any], reading: Reading) -> str:
    if output.get("output_type") in ("error", "pyerr"):
        return f"Error: {output.get('ename', '')}: {output.get('evalue', '')}"
    data = output.get("data") or output
    pictures = [kind for kind in data if str(kind).startswith("image/") or kind in ("png", "jpeg")]
    reading.left_out += [f"a picture that the code made ({kind})" for kind in pictures]
    text = _shown(data) or _joined(output.get("text") or "")
    return text.strip() and f"Output:\n{text.rstrip()}"


def _shown(data: dict[str, Any]) -> str:
    """The best of the forms of an output."""
    for kind in ("text/markdown", "text/plain"):
        if data.get(kind):
            return _joined(data[kind])
    if data.get("text/html"):
        return page.read(_joined(data["text/html"]).encode(), "utf-8").text
    if data.get("application/json"):
        return json.dumps(data["application/json"], ensure_ascii=False)
    return ""


def _joined(text: Any) -> str:
    if isinstance(text, list):
        return "".join(map(str, text))
    return str(text)
