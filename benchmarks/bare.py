"""What our job is compared with: a task that does nothing, and one bare SDK call in a plain task.

`celery -A bare worker`, started by `speed.py`. REDIS_URL and OPENAI_BASE_URL say where.
"""

import os
from functools import cache

from celery import Celery
from openai import OpenAI

MODEL = "gpt-4o-mini"

url = os.environ.get("REDIS_URL", "redis://localhost")
app = Celery("bare", broker=url, backend=url)
app.conf.update(
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    task_acks_late=True,
    task_send_sent_event=False,
    result_expires=3600,
)


@cache
def client() -> OpenAI:
    """One per process; threads share it."""
    return OpenAI(api_key="k", max_retries=0)


@app.task(name="noop")
def noop(messages: list[dict[str, str]]) -> str:
    return "done"


@app.task(name="call")
def call(messages: list[dict[str, str]]) -> dict:
    answer = client().chat.completions.create(model=MODEL, messages=messages, max_tokens=50)
    return answer.model_dump()
