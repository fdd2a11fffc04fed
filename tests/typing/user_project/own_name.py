"""Where `producer` is another's: the same types under the name that nobody else has."""

from typing import assert_type

from celery_completions import Completion, Job, Options, complete

OPTIONS: Options = {"temperature": 0}
job = complete.delay([{"role": "user", "content": "x"}], "u", **OPTIONS)
assert_type(job, Job)
assert_type(job.value(), Completion)
complete.delay([], "u", temprature=0)  # type: ignore[call-arg]  # pyright: ignore
