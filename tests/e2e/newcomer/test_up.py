"""`completions up`: from nothing to an answer in one terminal and a half, and back to nothing."""

import re
import signal
import subprocess

import psutil
import pytest

from worker.embedded import EmbeddedValkey, free_port

pytestmark = pytest.mark.faults
ASKED = [{"role": "user", "content": "What is a broker?"}]


@pytest.fixture
def url(tmp_path):
    """Of the server that is to be; said in `.env`, so that no other test's is met."""
    found = f"redis://127.0.0.1:{free_port()}/0"
    (tmp_path / ".env").write_text(f"REDIS_URL={found}\n")
    return found


@pytest.fixture
def up(fresh, tmp_path):
    """`up(*flags, **env)`: the process, and what it showed when all was ready."""
    started = []

    def start(*flags, **env):
        process = subprocess.Popen(
            fresh.line(fresh.full, "completions", "up", *flags),
            cwd=tmp_path,
            env=fresh.env(fresh.full, env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        shown = ""
        while "Ctrl-C ends all" not in shown:
            line = process.stdout.readline()
            assert line, shown
            shown += line
        return process, shown

    yield start
    for each in started:
        each.kill()
        each.communicate()


def test_from_nothing_to_an_answer_and_back(up, full, bare, url, tmp_path):
    process, shown = up("--simulate")
    services = psutil.Process(process.pid).children(recursive=True)
    assert len(services) >= 3
    for text in (
        "valkey   redis://127.0.0.1:",
        ".completions/worker.log",
        "flower   http://127.0.0.1:",
    ):
        assert text in shown
    said = full("completions", "ask", "What is a message broker?")
    assert "A simulated answer to" in said
    assert "[simulator:sim-large $0.00" in said
    address = re.search(r"REDIS_URL=(\S+)", shown)[1]
    for answer in ("value(20).text", "get(timeout=20)['text']"):
        old = f"print(complete.delay({ASKED}, 'me').{answer})"
        said = bare("python", "-c", f"from producer import complete\n{old}", REDIS_URL=address)
        assert "A simulated answer to" in said
    assert "runs in this folder already" in full("completions", "up", "--simulate")
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert rest.endswith("Stopped; nothing is left running\n")
    assert process.returncode == 0
    assert not any(each.is_running() for each in services)
    assert not (tmp_path / ".completions/env").exists()
    (tmp_path / ".completions/env").write_text("REDIS_URL=redis://stale:1/0\n")
    said = full("completions", "ask", "And now?")
    assert f"does not answer at {url[8:-2]} (" in said
    assert "To have a private one here: completions up" in said


def test_a_wrong_key_and_a_misspelt_model_are_told_and_so_is_a_worker_that_dies(
    up, full, url, wire, tmp_path
):
    settings = {
        "LLM_CHAIN": "openai:gpt-4o-mini,other:gpt-4o-mni,third:gpt-4o-mini",
        "LLM_PRICES": "other:*=1/2,third:*=1/2",
        "OPENAI_API_KEY": "sk-wrong",
        "OPENAI_BASE_URL": wire.base_url,
        "LLM_LINK_OTHER_BASE_URL": wire.base_url,
        "LLM_LINK_THIRD_BASE_URL": "http://127.0.0.1:9/v1",
    }
    wire.script = lambda request, number: "404" if "mni" in request["model"] else "401"
    with (tmp_path / ".env").open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in settings.items())
    process, _ = up()
    for link, told in (
        ("openai:gpt-4o-mini", ": refused its key: HTTP 401 invalid_api_key; set OPENAI_API_KEY"),
        ("other:gpt-4o-mni", " misconfigured (HTTP 404 model_not_found); completions check --live"),
        ("third:gpt-4o-mini", " unavailable"),
    ):
        said = full("completions", "ask", "hello", "--model", link, "--timeout", "3")
        print(said)
        assert re.match(f"It (waits|is tried again): {re.escape(link + told)}", said)
        assert "sk-wrong" not in said
    services = psutil.Process(process.pid).children(recursive=True)
    (worker,) = (each for each in services if "up@%h" in each.cmdline())
    worker.kill()
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "worker ended; .completions/worker.log says:" in rest
    assert not any(each.is_running() for each in services)


def test_without_a_key_it_says_what_is_missing(full, url):
    said = full("completions", "up")
    assert "Missing required env var: OPENAI_API_KEY" in said
    assert said.endswith("To try it without a key: completions up --simulate\n")
    said = full("completions", "up", OPENAI_API_KEY="sk-1", LLM_CHAIN="openai:gpt-4o-mni")
    assert "NO_PRICE: no price known for openai:gpt-4o-mni (misspelt? There is gpt-4o-min" in said
    assert said.endswith("Error: no link can take a question: see above\n")


def test_without_a_worker_the_wait_is_told(full, tmp_path):
    with EmbeddedValkey(tmp_path / "valkey") as valkey:
        said = full("completions", "ask", "hello", "--timeout", "3", REDIS_URL=valkey.url())
    assert "It waits: no worker is alive. Fix: in another terminal, celery -A worker worker" in said
    assert "No answer within 3.0 s" in said


def test_a_redis_elsewhere_is_left_alone(full):
    said = full("completions", "up", "--simulate", REDIS_URL="redis://db.example:6379/0")
    assert "the settings name a Redis elsewhere" in said
