"""A Chroma that does not answer costs one call its time-out, and says so once."""

import logging
import socket
import subprocess
import sys
import time

import pytest
from support.near_index import vector

from worker.semantic import chroma
from worker.semantic.index import Away

pytestmark = pytest.mark.chroma
TIMEOUT_S = 0.2


@pytest.fixture
def silent():
    """A server that takes calls and answers none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def failures():
    return []


@pytest.fixture
def server(silent, failures):
    url = f"http://127.0.0.1:{silent.getsockname()[1]}"
    found = chroma.Chroma(url, "fleet", TIMEOUT_S, lambda: failures.append(1))
    yield found
    found.close()


def asks(server):
    with pytest.raises(Away) as raised:
        server.nearest("scope", vector(1), 3)
    return str(raised.value)


def test_a_silent_one_is_given_up_and_then_left_alone_for_a_while(server, failures, caplog):
    with caplog.at_level(logging.INFO):
        assert asks(server) == "ReadTimeout"
        assert [asks(server) for _ in range(20)] == ["it was away a moment ago"] * 20
    assert len(failures) == 1
    (line,) = [each for each in caplog.records if each.name.startswith("worker")]
    assert "LLM_SEMANTIC_INDEX" in line.getMessage()
    assert server.paused


def test_after_the_pause_one_call_looks_and_the_others_do_not_wait(server, failures, monkeypatch):
    asks(server)
    server._paused_until = time.monotonic()
    seen = []

    def look(*_):
        seen.append(asks(server))  # another, while the first is asked
        raise OSError

    monkeypatch.setattr(server._server, "get_collection", look)
    assert asks(server) == "OSError"
    assert seen == ["it was away a moment ago"]


def test_what_it_loads_is_loaded_by_those_who_chose_it(tmp_path):
    code = """
import sys, worker.semantic.wiring, worker.commands.erase
assert not {"chromadb", "grpc"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_it_reports_to_nobody_and_reads_no_file(server, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("CHROMA_OTEL_GRANULARITY=all\nANONYMIZED_TELEMETRY=true\n")
    monkeypatch.setenv("CHROMA_OTEL_GRANULARITY", "all")
    settings = server._server._settings
    assert not settings.anonymized_telemetry
    assert settings.chroma_otel_granularity == "none"
    from chromadb.telemetry import opentelemetry

    assert opentelemetry.tracer is None
