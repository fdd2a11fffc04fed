"""A hook of mkdocs: pages of the site that are kept at the repository's top, README first."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "reporting.md",
    "CODE_OF_CONDUCT.md": "conduct.md",
}
"""File -> page."""
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    for name, page in PAGES.items():
        text = _LINK.sub(_of_the_site, (ROOT / name).read_text(encoding="utf-8"))
        files.append(File.generated(config, page, content=text))
    return files


def _of_the_site(link: re.Match[str]) -> str:
    """What is no page is named only."""
    mark, text, target, place = link.groups("")
    if target.startswith("docs/"):
        return f"{mark}[{text}]({target.removeprefix('docs/')}{place})"
    if target in PAGES:
        return f"[{text}]({PAGES[target]}{place})"
    return text
