"""For all tests: a clean environment, a real Valkey, worker processes.

Nodes: `support/plugin.py`.
"""

import gc
import os
import random
from collections.abc import Callable, Generator, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from redis import Redis
from support import warm

from worker.embedded import EmbeddedValkey

if TYPE_CHECKING:
    from support.chroma_server import ChromaServer
    from support.hand_run import HandRun
    from support.nodes import WorkerProcess
    from support.wire import WireServer

pytest_plugins = ["support.plugin"]

ROOT = Path(__file__).parents[1]
STRAY = ("LLM_", "OPENAI_", "ANTHROPIC_", "GOOGLE_", "CELERY_", "REDIS_", "LEDGER_")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--adapters",
        help="providers of the contract suite, comma separated (default: all of the main lock)",
    )

    parser.addoption("--seed", type=int, help="of arbitrary input (default: another each time)")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Printed, and to be had again with `--seed`."""
    given = request.config.getoption("--seed")
    chosen = random.randrange(10**6) if given is None else int(given)
    print(f"--seed {chosen}")
    return chosen


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What collection makes stays to the end: to look for cycles in it took a third of its time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs Chroma runs where it is installed."""
    if find_spec("chromadb"):
        return
    for item in items:
        if item.get_closest_marker("chroma"):
            item.add_marker(pytest.mark.skip(reason="needs Chroma: `make test-chroma`"))


def pytest_configure() -> None:
    """The developer's own settings must not reach a test.

    They are removed here, before anything is imported or started.
    """
    if (ROOT / ".env").exists():
        raise pytest.UsageError(".env would reach tests. Fix: move it away while they run")
    for name in [name for name in os.environ if name.startswith(STRAY)]:
        del os.environ[name]
    hypothesis.settings.register_profile("untimed", deadline=None)
    hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """The session's server (with xdist: one per process).

    Take `redis_url`, which empties it, or `own_valkey`.
    """
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def redis_url(valkey: EmbeddedValkey) -> str:
    """The session's server, emptied and answering; its CONFIG must not be changed."""
    valkey.thaw()
    valkey.start()
    with Redis.from_url(valkey.url()) as redis:
        redis.flushall()
    return valkey.url()


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A server for this test alone, to be killed, frozen or reconfigured."""
    with EmbeddedValkey(tmp_path / "valkey") as server:
        yield server


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[ChromaServer]":
    """The session's Chroma, started when a test first asks for it. Not emptied: tests have fleets
    or scopes of their own.
    """
    from support.chroma_server import ChromaServer

    with ChromaServer(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture
def wire() -> "Iterator[WireServer]":
    """A provider's HTTP side on a private port."""
    from support.wire import WireServer

    with WireServer() as server:
        yield server


@pytest.fixture
def openai_env(wire: "WireServer") -> dict[str, str]:
    """A chain of one link, `openai:gpt-4o-mini`, answered by `wire`."""
    return {
        "LLM_CHAIN": "openai:gpt-4o-mini",
        "OPENAI_API_KEY": "sk-secret-key",
        "OPENAI_BASE_URL": wire.base_url,
        "LLM_BACKOFF_SECONDS": "0.05",
        "LLM_MAX_ATTEMPTS": "3",
    }


@pytest.fixture
def may_fork(request: pytest.FixtureRequest) -> bool:
    """Whether workers of this test come from `support/warm.py`: not where it is about starts,
    deaths and memory.
    """
    return not (request.node.get_closest_marker("faults") or "e2e" in request.path.parts)


@pytest.fixture
def start_worker(
    redis_url: str, may_fork: bool, tmp_path: Path
) -> "Iterator[Callable[..., WorkerProcess]]":
    """`start_worker(env, pool="asyncio", concurrency=8, name=None, flags=())` gives a ready
    `WorkerProcess`.

    `env` is added to REDIS_URL and a simulator chain; log in tmp_path / "<name>.log". Killed after
    the test.
    """
    from support.nodes import DEFAULT_ENV, WorkerProcess

    workers: list[WorkerProcess] = []

    def start(
        env: dict[str, str] | None = None,
        pool: str = "asyncio",
        concurrency: int = 8,
        name: str | None = None,
        flags: Sequence[str] = (),
    ) -> WorkerProcess:
        name = name or f"worker{len(workers) + 1}"
        env = {**DEFAULT_ENV, "REDIS_URL": redis_url, **(env or {})}
        worker = WorkerProcess(env, pool, concurrency, name, tmp_path / f"{name}.log")
        worker.command += flags
        worker.forked = may_fork
        workers.append(worker)
        worker.start()
        worker.wait_ready()
        return worker

    yield start
    for worker in workers:
        worker.kill()


@pytest.fixture
def complete(redis_url: str) -> Any:
    """The producer's task, pointed at this test's server."""
    import producer

    producer.configure(redis_url)
    return producer.complete


@pytest.fixture
def hand_run(redis_url: str) -> "Iterator[Callable[..., HandRun]]":
    """`hand_run(slots=1, pace=..., quota=..., user_in_flight=...)` gives a ledger run by hand."""
    from support.hand_run import HandRun

    built: list[HandRun] = []

    def build(**options: Any) -> HandRun:
        built.append(HandRun(redis_url, **options))
        return built[-1]

    yield build
    for each in built:
        each.redis.close()


@pytest.fixture
def command(redis_url: str) -> Callable[..., str]:
    """`command(*arguments, code=0, **env)`: what `completions` prints beside this test's server."""

    def run(*arguments: str, code: int = 0, **env: str) -> str:
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "REDIS_URL": redis_url,
            "LLM_CHAIN": "simulator:sim-small",
        } | env
        done = warm.run(arguments, env)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run
