"""What our job is compared with: a task that does nothing, and one bare SDK call in a plain task.

`celery -A bare worker`, started by `cases.py`. REDIS_URL and OPENAI_BASE_URL say where.
"""

import os
from functools import cache

from celery import Celery
from openai import OpenAI

MODEL = "gpt-4o-mini"

POLICY = {
    "worker_hijack_root_logger": False,
    "worker_prefetch_multiplier": 1,
    "task_acks_late": True,
    "result_expires": 3600,
}


@cache
def client() -> OpenAI:
    """One per process; threads share it."""
    return OpenAI(api_key="k", max_retries=0)


def noop(messages: list[dict[str, str]]) -> str:
    return "done"


def call(messages: list[dict[str, str]]) -> dict:
    answer = client().chat.completions.create(model=MODEL, messages=messages, max_tokens=50)
    return answer.model_dump()


def app_at(url: str) -> Celery:
    """With both tasks, on this server."""
    made = Celery("bare", broker=url, backend=url, set_as_current=False)
    made.conf.update(POLICY)
    made.task(noop, name="noop")
    made.task(call, name="call")
    return made


app = app_at(os.environ.get("REDIS_URL", "redis://localhost"))
