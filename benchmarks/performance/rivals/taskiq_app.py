"""The bare call as a task of taskiq, with the broker that acknowledges. Run by `rivals.py`.

taskiq worker taskiq_app:broker            its worker
python taskiq_app.py                       sends: a line "FIRST JOBS" each
"""

import asyncio
import os
import sys
from functools import cache

from openai import AsyncOpenAI
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

URL = os.environ["REDIS_URL"]
broker = RedisStreamBroker(url=URL, consumer_id="0").with_result_backend(
    RedisAsyncResultBackend(redis_url=URL, result_ex_time=3600)
)


@cache
def client() -> AsyncOpenAI:
    return AsyncOpenAI(api_key="k", max_retries=0)


@broker.task(task_name="call")
async def call(messages: list[dict[str, str]]) -> dict:
    answer = await client().chat.completions.create(
        model="gpt-4o-mini", messages=messages, max_tokens=50
    )
    return answer.model_dump()


async def main() -> None:
    await broker.startup()
    text = os.environ["BENCH_TEXT"]
    while line := await asyncio.to_thread(sys.stdin.readline):
        first, jobs = map(int, line.split())
        for number in range(first, first + jobs):
            await call.kiq([{"role": "user", "content": f"{number}: {text}"}])
        print("sent", flush=True)
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(main())
