"""`make demo`, as a newcomer runs it: what it shows, and that it leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path):
    """A copy of what the demo needs, so that a demo the developer is running is left alone."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for name in ("producer", "worker", "celeryconfig.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def start(folder, *arguments):
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, str(folder / "examples" / "demo.py"), *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def kept(folder):
    """A demo left running, and its three services."""
    demo = start(folder, "--keep")
    while "Left running" not in (line := demo.stdout.readline()):
        assert line, "the demo has ended"
    services = psutil.Process(demo.pid).children()
    assert len(services) == 3
    return demo, services


@pytest.mark.faults
def test_every_scene_comes_out_as_announced(folder):
    demo = start(folder)
    shown, _ = demo.communicate(timeout=90)
    assert demo.returncode == 0, shown
    for text in (
        "no money is spent",
        "cache                       $0.000000",
        "RETRY   primary:sim-large overloaded",
        "attempt: fallback:sim-small answered",
        "RateLimited: user_requests_per_minute",
        "BudgetExceeded: max_cost_per_request",
        "library-move.md",
        "P95",
        "Flower: http://127.0.0.1:",
    ):
        assert text in shown
    scene, next_one = "The first provider fails", "A user at the limit"
    assert shown.index(scene) < shown.index("RETRY") < shown.index(next_one)


@pytest.mark.faults
def test_ctrl_c_ends_everything(folder):
    demo, services = kept(folder)
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert "nothing is left running" in rest
    assert "Traceback" not in rest
    assert not any(service.is_running() for service in services)


@pytest.mark.faults
def test_kill_9_of_the_demo_leaves_no_process(folder):
    demo, services = kept(folder)
    demo.kill()
    demo.communicate()
    _, alive = psutil.wait_procs(services, timeout=20)
    assert alive == []


def test_real_money_needs_a_key(folder):
    demo = start(folder, "--real")
    shown, _ = demo.communicate(timeout=30)
    assert demo.returncode == 1
    assert "OPENAI_API_KEY" in shown
