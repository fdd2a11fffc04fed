"""`.env` in the working directory is read by commands and workers, and by no web app."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CHECK = "from producer.cli import main\nmain(['check', '--offline'])"
WORKER = """
from worker.celery import create_app
print(create_app().conf.broker_url)
"""
WEB_APP = """
from producer import complete
print(complete.app.conf.broker_url)
"""


@pytest.fixture
def run(tmp_path):
    """`run(code, text, **env)`: what Python prints in a folder whose `.env` holds that text."""

    def in_folder(code, text, **env):
        (tmp_path / ".env").write_bytes(text.encode("cp1252"))
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]} | env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    return in_folder


def test_a_command_says_what_it_has_from_there(run):
    text = "OPENAI_API_KEY=sk-1\nexport LLM_CHAIN='openai:smart'\nLLM_MAX_TOKENS=77 # few\n"
    said = run(CHECK, text + "PYTHONPATH=/nowhere\n", LLM_MAX_TOKENS="88")
    assert "sk-1" not in said
    assert "link 1: openai:" in said
    for variable, origin in (
        ("OPENAI_API_KEY", ".env"),
        ("LLM_CHAIN", ".env"),
        ("LLM_MAX_TOKENS", "environment"),
    ):
        assert any(line.split() == [variable, origin] for line in said.splitlines()), said


def test_so_does_a_worker_and_a_web_app_does_not(run):
    text = "REDIS_URL=redis://127.0.0.1:7777/3"
    assert run(WORKER, text) == "redis://127.0.0.1:7777/3\n"
    assert run(WEB_APP, text) == "redis://127.0.0.1:6379/0\n"


def test_what_is_misspelt_there_is_told(run):
    said = run(CHECK, "OPENAI_API_KEY=sk-1\nLLM_MAX_TOKEN=77\n")
    assert "LLM_MAX_TOKEN is none of ours: misspelt?" in said


def test_what_is_no_text_is_told_by_its_name(run):
    said = run(CHECK, "OPENAI_API_KEY=ü")
    assert said == "Error: .env cannot be read: it is no text in UTF-8. Fix: mend or move it\n"
