"""Who does harm, on purpose or not."""

import contextlib
import itertools

import pytest
from support.ledger import ask

from producer.contract.errors import InvalidRequest, JobError


class Attacker:
    """One user with a provider of their own, and what they come upon."""

    def __init__(self, complete, evil, url, folder, command):
        self.complete, self.evil, self.url = complete, evil, url
        self.folder, self.command = folder, command
        self.jobs = []
        self.numbers = itertools.count()

    def send(self, text, **options):
        options = {"model": "evil:m", "cache": "bypass"} | options
        self.jobs.append(self.complete.delay(ask(text), "attacker", **options))
        return self.jobs[-1]

    def refused(self, **options):
        with pytest.raises(InvalidRequest):
            self.complete.delay(**{"messages": ask("x"), "user_id": "attacker"} | options)

    def ended(self):
        """Each of its jobs, well or with a typed error; their attempts."""
        for job in self.jobs:
            with contextlib.suppress(JobError):
                job.value(60)
        return sum(job.progress().attempts for job in self.jobs)
