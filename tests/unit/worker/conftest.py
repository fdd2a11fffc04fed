"""What tests of the worker's settings share."""

import pytest


@pytest.fixture
def env(monkeypatch):
    """`env(LLM_CHAIN="simulator:s")`: the environment has it, too."""

    def set_(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_
