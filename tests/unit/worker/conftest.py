"""What tests of the worker's settings share."""

import pytest

from worker.loop import Loop


@pytest.fixture
def env(monkeypatch):
    """`env(LLM_CHAIN="simulator:s")`: the environment has it, too."""

    def set_(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_


@pytest.fixture
def loop():
    loop = Loop()
    yield loop
    loop.close()
