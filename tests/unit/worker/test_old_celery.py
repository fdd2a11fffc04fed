"""What a worker corrects in Celery is of one version; a producer may have an older one."""

import celery
import pytest

from worker.celery import create_app
from worker.settings import SettingsError


@pytest.mark.parametrize("version", [(5, 5, 3, "", ""), (5, 6, 0, "", ""), (4, 9, 0, "rc1", "")])
def test_a_worker_says_what_it_needs(monkeypatch, version):
    monkeypatch.setattr(celery, "VERSION", version)
    has = ".".join(map(str, version[:3]))
    with pytest.raises(SettingsError, match=f"needs Celery 5.7, and this is {has} .*\\[worker\\]"):
        create_app()
