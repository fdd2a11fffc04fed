"""`make bench` measures: its shortest part, in a moment's size."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_part_is_measured_and_set_beside_its_targets():
    command = [sys.executable, "benchmarks/bench.py", "--quick", "--only", "callers"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for case in ("Celery's `delay`", "our `delay`, room", "our `delay`, no room", "our `many`"):
        assert f"| {case} | " in done.stdout
    judged = [line for line in done.stdout.splitlines() if line.startswith("| 5 |")]
    assert len(judged) == 3
    assert all(line.endswith(("| yes |", "| **no** |")) for line in judged)


def test_small_sizes_are_not_written():
    command = [sys.executable, "benchmarks/bench.py", "--quick", "--write"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "leave out --write" in done.stderr
