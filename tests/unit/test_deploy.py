"""What the shipped deployment promises, where a typo would break it silently.

`make compose-check` runs it.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_every_service_is_locked_down_and_comes_back():
    for name, service in SERVICES.items():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "cap_add" not in service or name == "valkey"
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert (
            service["restart"] == "unless-stopped"
        )  # Docker does not bring others back with the machine


def test_only_loopback_is_listened_on():
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_ledger_keeps_what_it_is_told():
    command = " ".join(SERVICES["valkey"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert SERVICES["valkey"]["volumes"]


def test_no_secret_has_a_default():
    text = (ROOT / "docker-compose.yml").read_text()
    assert "sk-" not in text
    assert re.findall(r"(?:KEY|AUTH|PASSWORD)\w*:", text) == []


def test_the_image_is_built_in_stages_and_runs_as_nobody_special():
    stages = DOCKERFILE.split("FROM ")[1:]
    assert len(stages) == 2
    assert "--require-hashes" in stages[0]
    assert "pip" not in stages[1]
    assert re.search(r"^USER (?!root)", stages[1], re.MULTILINE)
    assert "HEALTHCHECK" in stages[1]


@pytest.mark.parametrize(
    ("env", "chain"),
    [
        ({}, "simulator:sim-small"),
        ({"OPENAI_API_KEY": "k"}, "openai"),
        (
            {"OPENAI_API_KEY": "", "ANTHROPIC_API_KEY": "k", "GOOGLE_API_KEY": "k"},
            "anthropic,gemini",
        ),
        ({"OPENAI_API_KEY": "k", "LLM_CHAIN": "anthropic:x"}, "anthropic:x"),
        ({"OPENAI_API_KEY": "k", "LLM_PROVIDER": "gemini"}, None),
        ({"LLM_SECRETS_DIR": "/run/secrets"}, None),
        ({"LLM_SECRET_MANAGER": "aws:prod"}, None),
    ],
)
def test_keys_alone_make_a_chain(tmp_path, env, chain):
    """What the worker's container is started with, by the keys in .env.

    That may be a copy of .env.example.
    """
    example = dict(
        re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    )
    (tmp_path / "celery").write_text(
        '#!/bin/sh\nprintf \'{"chain": "%s", "arguments": "%s"}\' "${LLM_CHAIN:-}" "$*"\n'
    )
    (tmp_path / "celery").chmod(0o755)
    script = ["sh", str(ROOT / "deploy/worker.sh"), "-c", "4"]
    env = example | {"PATH": f"{tmp_path}:/usr/bin:/bin"} | env
    done = subprocess.run(script, env=env, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["chain"] == (chain or "")
    assert told["arguments"] == "-A worker worker -l INFO -c 4"


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs Prometheus' promtool")
def test_prometheus_takes_the_rules():
    subprocess.run(
        ["promtool", "check", "rules", str(ROOT / "deploy/prometheus-rules.yml")], check=True
    )


def test_every_platform_gives_a_stop_more_time_than_it_takes():
    """What has not ended by then is told by the worker, and not cut off by the platform."""
    unit = (ROOT / "deploy/systemd/completions-worker@.service").read_text()
    pods = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/worker.yaml").read_text()))
    pod = pods[0]["spec"]["template"]["spec"]
    env = {each["name"]: each["value"] for each in pod["containers"][0]["env"]}
    systemd = dict(re.findall(r"(LLM_STOP_SECONDS|TimeoutStopSec)=(\d+)", unit))
    worker = SERVICES["worker"]
    for stop_s, killed_s in (
        (env["LLM_STOP_SECONDS"], pod["terminationGracePeriodSeconds"]),
        (systemd["LLM_STOP_SECONDS"], systemd["TimeoutStopSec"]),
        (worker["environment"]["LLM_STOP_SECONDS"], worker["stop_grace_period"].rstrip("s")),
    ):
        assert 0 < int(killed_s) - int(stop_s) <= 10


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_reads_the_units(tmp_path):
    """But for the program, which is not installed where the units expect it."""
    for unit in (ROOT / "deploy/systemd").iterdir():
        text = re.sub(r"/opt/completions/bin/\w+", "/bin/true", unit.read_text())
        (tmp_path / unit.name.replace("@", "@1")).write_text(text)
    names = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
