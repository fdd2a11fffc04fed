"""The bare call as a job of arq. Run by `rivals.py`.

arq arq_app.WorkerSettings                 its worker
python arq_app.py                          sends: a line "FIRST JOBS" each
"""

import asyncio
import os
import sys
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings
from openai import AsyncOpenAI

REDIS = RedisSettings.from_dsn(os.environ["REDIS_URL"])


async def start(context: dict[str, Any]) -> None:
    context["client"] = AsyncOpenAI(api_key="k", max_retries=0)


async def call(context: dict[str, Any], messages: list[dict[str, str]]) -> dict:
    answer = await context["client"].chat.completions.create(
        model="gpt-4o-mini", messages=messages, max_tokens=50
    )
    return answer.model_dump()


class WorkerSettings:
    functions = (call,)
    on_startup = start
    redis_settings = REDIS
    max_jobs = int(os.environ.get("BENCH_SLOTS", "200"))
    poll_delay = 0.05
    """Its default of 0.5 s would leave half of the slots empty at this pace."""


async def main() -> None:
    pool = await create_pool(REDIS)
    text = os.environ["BENCH_TEXT"]
    while line := await asyncio.to_thread(sys.stdin.readline):
        first, jobs = map(int, line.split())
        for number in range(first, first + jobs):
            await pool.enqueue_job("call", [{"role": "user", "content": f"{number}: {text}"}])
        print("sent", flush=True)
    await pool.aclose()


if __name__ == "__main__":
    asyncio.run(main())
