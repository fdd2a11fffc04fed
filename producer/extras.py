"""What is not in the base install: who misses it is told which extra has it.

Standard library only.
"""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

DISTRIBUTION = "celery-completions"
EXTRAS = {
    "worker": "the worker, and the commands that look into it or at its settings",
    "documents": "summaries of folders, PDF, HTML, mail, Office and more",
    "semantic": "the semantic cache",
    "chroma": "vectors of the semantic cache in Chroma",
    "embedded": "completions up: a private Valkey, a worker and Flower",
    "dashboard": "Flower, with our columns",
    "http": "completions http: health and Prometheus",
    "tables": "Parquet and data frames",
    "bars": "progress as a bar",
    "exam": "completions exam: suites in YAML, checks by a JSON Schema",
    "aws": "settings from AWS Secrets Manager",
    "gcp": "settings from Google's Secret Manager",
    "azure": "settings from Azure Key Vault",
    "google-generativeai": "the adapter gemini-legacy",
}
"""Extra -> what it adds."""
_REQUIREMENT = re.compile(r"([\w.-]+).*;.*\bextra\s*==\s*[\"']([\w-]+)[\"']")


def of_command(name: str) -> str:
    """The extra that one of the worker's commands needs."""
    return {"up": "embedded", "http": "http"}.get(name, "worker")


def install(extra: str) -> str:
    """The command that adds it."""
    return f"pip install '{DISTRIBUTION}[{extra}]'"


def needs(what: str, extra: str) -> str:
    """How it is said everywhere."""
    return f"{what} needs the extra: {install(extra)}"


def missing() -> Iterator[str]:
    """The extras of which anything is not installed; none is known outside of an installation."""
    try:
        requirements = distribution(DISTRIBUTION).requires or []
    except PackageNotFoundError:
        return
    absent = set()
    for each in requirements:
        found = _REQUIREMENT.match(each)
        if found and not _is_installed(found[1]):
            absent.add(found[2])
    yield from (extra for extra in EXTRAS if extra in absent)


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
