"""The same API in a project that has a `producer` of its own. Nothing runs it, as api.py."""

from typing import assert_type

from celery_completions import Completion, Job, complete, integrate

job: Job = complete.delay([{"role": "user", "content": "hi"}], "user-1")
assert_type(job.value(timeout=5), Completion)
assert_type(integrate(None), None)
