"""What README and docs say is so: every code block runs, every name is documented, every link leads
somewhere.

A block says above itself how: `<!-- run: worker -->` beside a running worker, `log` the same with
jobs done, `check` or `alone` with no worker, or `<!-- not run: reason -->`. `<!-- prints: text -->`
is expected in its output. `file`, `services` and `project`: tests/e2e/home/test_with_celery.py.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise

import pytest
from support.documentation import PAGES, ROOT, blocks, run
from support.keys import AllKeys
from support.ledger import LedgerProbe, ask

from producer.contract import errors
from worker.settings import (
    VENDORS,
    CallSettings,
    ChainSettings,
    LinkSettings,
    ServerSettings,
    Settings,
    Slice,
)

CHAIN = {
    "LLM_CHAIN": "simulator:sim-large,simulator:sim-small",
    "LLM_EMBEDDING_CHAIN": "simulator:sim-embeddings",
}


def runnable(*ways: str) -> list:
    chosen = [block for block in blocks() if block.run in ways]
    assert chosen
    return [pytest.param(block, id=f"{block.page}-{number}") for number, block in enumerate(chosen)]


@pytest.mark.parametrize("block", runnable("worker"))
def test_a_block_beside_a_worker_runs(block, complete, start_worker, redis_url, tmp_path):
    start_worker(CHAIN)
    job = complete.delay(ask("What is a ledger?"), "user-1")
    job.value(20)
    run(block, tmp_path, {**CHAIN, "REDIS_URL": redis_url, "JOB_ID": job.id})


@pytest.mark.parametrize("block", runnable("documents"))
def test_a_block_beside_a_folder_of_documents_runs(block, start_worker, redis_url, tmp_path):
    """And beside `requests.jsonl`, in OpenAI's form."""
    start_worker(CHAIN | {"LLM_CHAIN": "simulator:gpt-4o-mini"})
    shutil.copytree(ROOT / "examples/documents", tmp_path / "documents")
    body = {"model": "gpt-4o-mini", "messages": ask("What is a lane?")}
    line = {"custom_id": "q1", "method": "POST", "url": "/v1/chat/completions", "body": body}
    (tmp_path / "requests.jsonl").write_text(json.dumps(line) + "\n")
    run(block, tmp_path, {"REDIS_URL": redis_url})


@pytest.mark.parametrize("block", runnable("alone", "check"))
def test_a_block_that_needs_no_worker_runs(block, tmp_path):
    run(block, tmp_path, {})


@pytest.mark.parametrize("block", runnable("pytest"))
def test_a_block_of_tests_passes(block, tmp_path):
    """With the fixture that the package brings, and no Redis that could be reached."""
    (tmp_path / "test_app.py").write_text(block.code)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "celery_completions.pytest_plugin"]
    env = {
        "PYTHONPATH": str(ROOT),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [*command, "test_app.py"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", runnable("log"))
def test_the_cost_of_a_log_is_what_the_ledger_booked(
    block, complete, start_worker, redis_url, tmp_path
):
    start_worker(CHAIN, name="worker")
    for job in [
        complete.delay(ask(f"What is {thing}?"), "user-1")
        for thing in ("a lease", "a fence", "a lane")
    ]:
        job.value(20)
    with LedgerProbe(redis_url) as ledger:
        spent = ledger.counter("spent_micro")
    assert spent > 0
    assert round(float(run(block, tmp_path, {})) * 1_000_000) == spent


def test_every_command_named_in_a_block_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for block in blocks()
        for target in re.findall(r"^make ([a-z]+)", block.code, re.MULTILINE)
    }
    assert named
    assert named <= targets


def variables() -> set[str]:
    slices = {
        each
        for each in Settings.__annotations__.values()
        if isinstance(each, type) and issubclass(each, Slice)
    }
    assert CallSettings in slices
    aliases = {
        field.validation_alias
        for each in slices | {ChainSettings}
        for field in each.model_fields.values()
    }
    links = {
        f"LLM_LINK_<NAME>_{name.upper()}"
        for each in (LinkSettings, ServerSettings)
        for name in each.model_fields
    }
    servers = {
        f"{prefix}{name.upper()}"
        for prefix in VENDORS.values()
        for name in ServerSettings.model_fields
    }
    return aliases | links | servers


def test_every_setting_is_documented_and_no_other():
    documented = set(
        re.findall(r"`([A-Z][A-Z0-9_<>]+)`", (ROOT / "docs/configuration.md").read_text())
    ) - {"<NAME>", "INFO"}
    assert documented == variables() | {"FLOWER_BASIC_AUTH"}


def test_the_example_environment_is_complete():
    named = set(
        re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    )
    assert named == {name.replace("<NAME>", "LOCAL") for name in variables()} | {
        "FLOWER_BASIC_AUTH"
    }


def test_every_error_is_documented_and_no_other():
    documented = set(
        re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/errors.md").read_text(), re.MULTILINE)
    )
    assert documented == set(errors.BY_NAME)


def test_every_key_is_documented_and_no_other():
    rows = [
        line.split("|")[2]
        for line in (ROOT / "docs/redis-keys.md").read_text().splitlines()
        if line.startswith("| `.")
    ]
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    named = {name for name in dir(AllKeys) if not name.startswith("_")}
    assert documented == named - {
        "root",
        "prefix",
        "usages",
        "cached_entry",
        "is_broker",
        "of_calls",
    }


TABLES = (
    "What one credential can do",
    "Files",
    "What hostile users, files, providers and brokers can do",
)
"""Of docs/security.md."""


def rows_with_tests():
    """The rows of tables whose last column names what shows them."""
    guarantees = (ROOT / "docs/guarantees.md").read_text().partition("## Not promised")[0]
    security = (ROOT / "docs/security.md").read_text()
    tables = [security.partition(f"\n## {title}\n")[2] for title in TABLES]
    for text in (guarantees, *(table.partition("\n## ")[0] for table in tables)):
        lines = pairwise([*text.splitlines(), ""])
        rows = [one for one, after in lines if one.startswith("| ") and after[:4] != "|---"]
        assert rows
        yield from rows


def test_every_guarantee_names_a_test_that_exists():
    """So does every line on what a credential can do, or a hostile user, file or server."""
    for row in rows_with_tests():
        named = re.findall(r"`([\w/.]+\.py)::(\w+)`", row.rsplit("|", 2)[1])
        assert named, row
        for path, name in named:
            assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE), (
                path,
                name,
            )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
