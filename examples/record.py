"""Draws what `completions summarize` shows on a terminal, as docs/summarize.svg.

    python examples/record.py

Runs the real command twice on a pseudo-terminal, against the demo's private fleet.
"""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from demo import SIMULATED
from rich.console import Console
from rich.text import Text
from stack import Stack

HERE = Path(__file__).parent
PICTURE = HERE.parent / "docs" / "summarize.svg"
COMMAND = "completions summarize documents --user demo --style bullets"
WIDTH = 118


def typed(env: dict[str, str], answer: bytes) -> str:
    """What the terminal shows in the end, carriage returns obeyed."""
    main, side = pty.openpty()
    words = [sys.executable, "-c", "from producer.cli import main; main()", *COMMAND.split()[1:]]
    process = subprocess.Popen(words, cwd=HERE, env=env, stdin=side, stdout=side, stderr=side)
    os.close(side)
    os.write(main, answer)
    shown = b""
    while True:
        try:
            shown += os.read(main, 65536)
        except OSError:  # the command has left
            break
    process.wait()
    lines = shown.decode().replace("\r\n", "\n").split("\n")
    return "\n".join(
        line.rpartition("\r")[2] for line in lines if "\x1b[1A" not in line or line.strip()
    )


def main() -> None:
    nowhere = open(os.devnull, "w")  # noqa: SIM115
    console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
    with Stack(SIMULATED.env) as stack:
        env = {
            "REDIS_URL": stack.valkey.url(),
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "COLUMNS": str(WIDTH),
        }
        for answer in (b"y\n", b"y\n"):
            console.print(Text(f"$ {COMMAND}", style="bold green"))
            text = re.sub(r"\x1b\[\?25[lh]|\x1b\[\d*[AK]", "", typed(env, answer))
            console.print(Text.from_ansi(text))
    drawn = console.export_svg(title="completions summarize", unique_id="summarize")
    # The picture loads nothing from anywhere: a reader's own monospaced font will do.
    PICTURE.write_text(re.sub(r"<!--.*?-->|@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL))
    print(f"written: {PICTURE.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
