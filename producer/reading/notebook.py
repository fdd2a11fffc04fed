"""Jupyter notebooks: texts, code and what the code printed; pictures are counted."""

import json
from typing import Any

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
    reading.text = "\n\n".join(filter(None, (_cell(cell, language, reading) for cell in cells)))
    return reading


def _cell(cell: dict[str, Any], language: str, reading: Reading) -> str:
    source = _joined(cell.get("source", cell.get("input", "")))
    if cell.get("cell_type") != "code":
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
    text = _joined(data.get("text/plain") or output.get("text") or "")
    pictures = [kind for kind in data if str(kind).startswith("image/") or kind in ("png", "jpeg")]
    reading.left_out += [f"a picture that the code made ({kind})" for kind in pictures]
    return text.strip() and f"Output:\n{text.rstrip()}"


def _joined(text: Any) -> str:
    if isinstance(text, list):
        return "".join(map(str, text))
    return str(text)
