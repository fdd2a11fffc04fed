"""pytest-celery's own fixtures work on local processes, in both pools: what the fault tests stand
on.
"""

import pytest
from pytest_celery import CeleryTestSetup, CeleryTestWorker


@pytest.fixture(params=["asyncio", "threads", "prefork"])
def worker_pool(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def worker_concurrency() -> int:
    return 2


def answering(setup: CeleryTestSetup) -> list[str]:
    """The workers that answer. Asks again: a worker subscribes just after it says ready, and
    pub/sub keeps nothing.
    """
    replies = (setup.app.control.ping(timeout=1, limit=1) for _ in range(10))
    return [name for reply in next(filter(None, replies), []) for name in reply]


def test_setup_is_ready_and_answers_control(celery_setup: CeleryTestSetup) -> None:
    assert celery_setup.ready(control=True)
    assert len(celery_setup) == 3
    assert celery_setup.broker.config()["url"] == celery_setup.backend.config()["url"]
    assert answering(celery_setup) == [celery_setup.worker.hostname()]


def test_killed_worker_is_gone_and_comes_back(
    celery_setup: CeleryTestSetup, celery_worker: CeleryTestWorker
) -> None:
    celery_worker.assert_log_exists("ready.")
    celery_worker.kill()
    assert celery_worker.container.status == "exited"
    assert celery_setup.app.control.ping(timeout=0.5) == []
    celery_worker.restart()
    assert celery_worker.container.status == "running"
    assert celery_worker.logs().count(" ready.") == 2
    assert answering(celery_setup) == [celery_worker.hostname()]


def test_wait_for_log_sees_the_warm_shutdown(celery_worker: CeleryTestWorker) -> None:
    celery_worker.kill("SIGTERM")
    celery_worker.wait_for_log("Warm shutdown", timeout=10)
    celery_worker.assert_log_does_not_exist("never said", timeout=1)
