"""Files that take more than a reader may have, in each format: the kernel ends the reader at its
limits, and its end is that one file's reason.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.bombs import MADE

from producer.reading.program import LIMITS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
KILOBYTE = 1024
MAKE = """
import sys
from pathlib import Path
from support.bombs import MADE

Path(sys.argv[1]).write_bytes(MADE[Path(sys.argv[1]).name]())
"""
READ = """
import json, resource, sys
from pathlib import Path
from producer.documents import read

document, other = (read(path) for path in sys.argv[1:])
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps({
    "length": len(document.text),
    "wrong": str(document.wrong or ""),
    "other": other.text,
    "mine": int(status["VmHWM"].split()[0]),
    "readers": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
}))
"""


def run(program, *arguments):
    """In a process of its own: one that made a bomb is as large as it, and so is a fork of it."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", MADE)
def test_a_bomb_ends_its_reader_and_nothing_else(tmp_path, name):
    """Whether it is read after all depends on the library; no limit is passed either way."""
    bomb, other = tmp_path / name, tmp_path / "next.txt"
    run(MAKE, bomb)
    other.write_text("The next one.")
    told = json.loads(run(READ, bomb, other))
    size = bomb.stat().st_size
    what = told["wrong"] or f"{told['length']:,} characters"
    print(f"{name}: {size:,} bytes: {what}")
    assert told["length"] or told["wrong"]
    assert told["readers"] * KILOBYTE <= LIMITS.memory_bytes
    assert told["mine"] * KILOBYTE < 4 * size + 300_000_000
    assert told["other"] == "The next one."
