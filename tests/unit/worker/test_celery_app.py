"""Importing the module that holds the Celery app changes nothing; asking for the app does."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

OURS = """
from celery import signals
from celery.utils.dispatch import Signal
from kombu.transport import TRANSPORT_ALIASES

def ours():
    '''Our transports behind kombu's URL schemes, and our handlers behind Celery's signals.'''
    found = [path for path in TRANSPORT_ALIASES.values() if path.startswith("worker.")]
    for name, signal in vars(signals).items():
        if isinstance(signal, Signal):
            for _, receiver in signal.receivers:
                receiver = receiver() if hasattr(receiver, "__callback__") else receiver
                if receiver.__module__.startswith("worker."):
                    found.append(name)
    return sorted(set(found))

import worker.celery
"""


def run(code, **env):
    """In a fresh interpreter, with nothing else in its environment."""
    return subprocess.run(
        [sys.executable, "-c", OURS + code],
        env={"PYTHONPATH": str(ROOT), **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_an_import_patches_nothing_and_reads_no_settings():
    """Not even where the settings are wrong."""
    done = run("print(ours())", REDIS_URL="nonsense", LLM_MAX_TOKENS="-5")
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_the_app_brings_our_transports_and_handlers():
    """Once, however often it is asked for; what else there is not is said as by any module."""
    code = """
assert worker.celery.app is worker.celery.app
worker.celery.create_app()
print(*ours())
print(sum(len(signal.receivers) for signal in [signals.worker_ready, signals.task_prerun]))
print(hasattr(worker.celery, "application"))
"""
    done = run(code, REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "beat_embedded_init celeryd_init setup_logging task_postrun task_prerun task_revoked "
        "worker.broker.transport:SentinelTransport worker.broker.transport:Transport "
        "worker_init worker_process_init worker_process_shutdown worker_ready worker_shutdown "
        "worker_shutting_down",
        "4",
        "False",
    ]


def test_wrong_settings_end_who_asks_for_the_app_in_words():
    done = run("from worker.celery import app", REDIS_URL="nonsense")
    assert done.returncode == 1
    assert done.stderr.startswith("Wrong settings:\nInvalid env var: REDIS_URL: ")
    assert "Traceback" not in done.stderr


def test_wrong_settings_are_an_error_for_who_creates_an_app():
    code = """
try:
    worker.celery.create_app()
except ValueError as error:
    print(error, ours())
"""
    done = run(code, REDIS_URL="nonsense")
    assert done.stdout.startswith("Invalid env var: REDIS_URL: ")
    assert done.stdout.endswith(" []\n")
