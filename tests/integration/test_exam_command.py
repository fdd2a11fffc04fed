"""docs/exam.md as it is written: a change of a prompt that breaks 3 of 60 answers turns CI red."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/exam.md").read_text()
BLOCK = re.compile(r"<!-- run: (.*?) -->\n<!-- prints: (.*?) -->\n```bash\n(.*?)```", re.DOTALL)
BLOCKS = {way: (prints, code) for way, prints, code in BLOCK.findall(PAGE)}


def classified(request, number):
    """A model that takes its prompt at its word."""
    prompt = request["messages"][-1]["content"]
    rules, _, ticket = prompt.partition("Ticket: ")
    for kind, words in re.findall(r"^- ([\w-]+): (.*)$", rules, re.MULTILINE):
        if any(word in ticket for word in words.split(", ")):
            return f"ok;out=1;text={kind}"
    return "ok;out=1;text=how-to"


@pytest.fixture
def shell(complete, wire, openai_env, start_worker, redis_url, tmp_path):
    """`shell(way)` runs a block of the page beside a worker: exit code, output."""
    wire.script = classified
    start_worker(openai_env)
    shutil.copytree(ROOT / "examples/exam", tmp_path / "exam")

    def run(way):
        prints, code = BLOCKS[way]
        env = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", code],
            cwd=tmp_path,
            env=env | {"REDIS_URL": redis_url},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert prints in done.stdout, done.stdout + done.stderr
        return done.returncode, done.stdout

    return run


def test_a_change_that_breaks_three_of_sixty_is_red_and_names_them(shell, wire, tmp_path):
    code, first = shell("exam")
    assert (code, len(wire.calls)) == (0, 60)
    assert "no run before" in first
    code, again = shell("exam")
    assert (code, len(wire.calls)) == (0, 60)
    assert again.splitlines()[-1] == "since the last run: no change; $0.000000, 60 cached"
    code, broken = shell("exam broken")
    shown = re.findall(r"^```\n(FAIL.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[0]
    assert code == 1
    assert re.sub(r"\$\d\.\d+", "$", broken) == re.sub(r"\$\d\.\d+", "$", shown)
    report = ElementTree.parse(tmp_path / "exam.xml").getroot()
    cases = {each.get("name"): each.find("failure") for each in report.iter("testcase")}
    assert len(cases) == 60
    red = [name for name, failure in cases.items() if failure is not None]
    assert red == ["billing-13", "billing-14", "billing-15"]
    code, mended = shell("exam")
    assert (code, mended.count("pass  mended")) == (0, 3)


def test_the_page_shows_the_suite_of_the_example():
    assert (ROOT / "examples/exam/suite.yaml").read_text() in PAGE
    inputs = (ROOT / "examples/exam/inputs.jsonl").read_text().splitlines()
    assert len(inputs) == 60
    assert re.search(r"```json\n(.*)\n```", PAGE)[1] in inputs
