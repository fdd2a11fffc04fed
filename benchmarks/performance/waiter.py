"""A producer that submits jobs and waits for them: `python waiter.py URL get|value|await COUNT`."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import producer


async def awaited(jobs: list[producer.Job]) -> None:
    async def each(job: producer.Job) -> None:
        await job

    await asyncio.gather(*map(each, jobs))


def main() -> None:
    url, way, count = sys.argv[1:]
    producer.configure(url)
    question = [{"role": "user", "content": "When does the harbour close?"}]
    jobs = producer.complete.many([question] * int(count), "u", deadline_s=3600)
    print("waiting", flush=True)
    if way == "await":
        asyncio.run(awaited(jobs))
    elif way == "get":
        jobs[0].get()
    else:
        jobs[0].value(3600)


if __name__ == "__main__":
    main()
