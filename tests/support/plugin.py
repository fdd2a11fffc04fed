"""pytest-celery's leaf fixtures on local processes: `celery_setup` works without Docker.

One Valkey per test is broker, backend and ledger. Override in a test module to change the worker:
`worker_env` (take the fixture of the same name and add to it), `worker_pool`, `worker_concurrency`,
`worker_app`.

`celery_setup.ready(control=True)` asks the worker; `ready(ping=True)` needs a task of
pytest-celery's that ours lacks. A restarted broker keeps port and data, but `celery_setup.app`
notices the cut only when it next talks to it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from pytest_celery import CeleryTestSetup, CeleryTestWorker, RedisTestBackend, RedisTestBroker
from support.nodes import DEFAULT_ENV, ValkeyContainer, WorkerContainer, WorkerProcess

from producer.contract.names import DEFAULT_PREFIX, FleetNames
from worker.embedded import EmbeddedValkey


@pytest.fixture
def worker_env(default_redis_broker: ValkeyContainer) -> dict[str, str]:
    """The worker's environment, complete but for PATH, HOME and PYTHONPATH."""
    return {**DEFAULT_ENV, "REDIS_URL": default_redis_broker.url}


@pytest.fixture
def worker_pool() -> str:
    return "asyncio"


@pytest.fixture
def worker_concurrency() -> int:
    return 8


@pytest.fixture
def worker_app() -> str:
    """Celery's -A."""
    return "worker"


@pytest.fixture
def default_redis_broker(own_valkey: EmbeddedValkey) -> ValkeyContainer:
    return ValkeyContainer(own_valkey)


@pytest.fixture
def default_redis_backend(default_redis_broker: ValkeyContainer) -> ValkeyContainer:
    return default_redis_broker


@pytest.fixture
def default_worker_container(
    default_redis_broker: ValkeyContainer,
    worker_env: dict[str, str],
    worker_pool: str,
    worker_concurrency: int,
    worker_app: str,
    may_fork: bool,
    tmp_path: Path,
) -> Iterator[WorkerContainer]:
    """Started and ready, as Docker's would be."""
    container_id = f"worker-{default_redis_broker.port}"
    name = f"{WorkerContainer.worker_name()}@{container_id}"
    process = WorkerProcess(
        worker_env, worker_pool, worker_concurrency, name, tmp_path / "worker-node.log", worker_app
    )
    process.forked = may_fork
    try:
        process.start()
        process.wait_ready()
        yield WorkerContainer(container_id, process)
    finally:
        process.kill()


@pytest.fixture
def celery_broker(celery_redis_broker: RedisTestBroker) -> RedisTestBroker:
    """Redis only: pytest-celery's own would repeat every test with each broker it knows."""
    return celery_redis_broker


@pytest.fixture
def celery_backend(celery_redis_backend: RedisTestBackend) -> RedisTestBackend:
    return celery_redis_backend


@pytest.fixture
def celery_worker(celery_setup_worker: CeleryTestWorker) -> CeleryTestWorker:
    """pytest-celery's own asks by name, so that pytest cannot see `worker_pool`'s parameters."""
    return celery_setup_worker


@pytest.fixture
def celery_setup_app(
    celery_setup_cls: type[CeleryTestSetup],
    celery_setup_config: dict[str, str],
    celery_setup_name: str,
) -> Iterator[Celery]:
    """As pytest-celery's, but its connections are closed."""
    with celery_setup_cls.create_setup_app(celery_setup_config, celery_setup_name) as app:
        app.conf.update(FleetNames.of(DEFAULT_PREFIX).channels)
        yield app
