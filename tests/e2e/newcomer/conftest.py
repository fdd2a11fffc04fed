"""The environments of a newcomer, built once a run, also with xdist."""

import os
from pathlib import Path

import pytest
from support.fresh import Fresh


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return Fresh(shared / "newcomer")


@pytest.fixture
def bare(fresh: Fresh, tmp_path: Path):
    """`bare(*command, **env)`: what it prints where only the wheel was installed."""

    def run(*command: str, **env: str) -> str:
        return fresh.run(fresh.bare, *command, within=tmp_path, **env)

    return run


@pytest.fixture
def full(fresh: Fresh, tmp_path: Path):
    """The same, with `pip install WHEEL[embedded]`."""

    def run(*command: str, **env: str) -> str:
        return fresh.run(fresh.full, *command, within=tmp_path, **env)

    return run
