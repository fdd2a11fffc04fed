"""What a process and its children go by."""

import pytest

from worker import runtime
from worker.startup_checks import checked_settings


@pytest.fixture
def forgotten():
    yield
    runtime.shut_down()


def test_a_child_goes_by_what_its_parent_has_read(monkeypatch, tmp_path, forgotten):
    """A folder or manager that is away when a pool's child begins must not fail its job."""
    monkeypatch.setenv("LLM_CHAIN", "simulator:s")
    monkeypatch.setenv("LLM_SECRETS_DIR", str(tmp_path))
    runtime.use(checked_settings())
    monkeypatch.setenv("LLM_SECRETS_DIR", str(tmp_path / "away"))
    assert [link.name for link in runtime.current().settings.links] == ["simulator:s"]
