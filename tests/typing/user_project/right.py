"""How a typed project uses `producer`: nothing here is an error for mypy --strict or pyright."""

import asyncio
from typing import assert_type

from pydantic import BaseModel

from producer import (
    Batch,
    Completion,
    EmbeddingJob,
    Embeddings,
    EmbedOptions,
    Job,
    JobStatus,
    Messages,
    Options,
    Progress,
    complete,
    embed,
    errors,
    summarize,
)


class Person(BaseModel):
    name: str


MESSAGES = [{"role": "user", "content": "hi"}]
OPTIONS: Options = {"max_tokens": 300, "temperature": 0, "deadline_s": 60, "lane": "batch"}


def one(question: str, user_id: str, model: str | None = None) -> Job:
    """Every way in which a job is submitted."""
    messages: Messages = [{"role": "user", "content": question}]
    assert_type(complete.delay(messages, user_id), Job)
    complete.delay(messages=messages, user_id=user_id, model=model, tags=["faq"], stop="\n")
    complete.delay(messages, user_id, response_format=Person, tools=[{"type": "function"}])
    complete.delay(messages, user_id, tool_choice="required", logit_bias={50256: -100})
    complete.delay(messages, user_id, provider_options={"openai": {"logprobs": True}})
    complete.apply_async((messages, user_id), OPTIONS, task_id="an id", countdown=5)
    complete.apply_async([messages, user_id], expires=60)
    complete.apply_async(kwargs={"messages": messages, "user_id": user_id, "temperature": 0})
    complete.s(messages, user_id, temperature=0)
    complete.si(user_id=user_id, messages=messages)
    return complete.delay(messages, user_id, **OPTIONS)


def many(questions: list[str]) -> list[Job]:
    requests = [[{"role": "user", "content": question}] for question in questions]
    named = [{"messages": each, "idempotency_key": "k"} for each in requests]
    assert_type(complete.many(named, "user-1"), list[Job])
    return complete.many(requests, "user-1", lane="batch", over_limit="wait")


def read(job_id: str) -> str:
    job = complete.AsyncResult(job_id)
    assert_type(job, Job)
    assert_type(job.value(timeout=5), Completion)
    assert_type(job.progress(), JobStatus)
    assert_type(job.progress().cost_usd, float)
    assert_type(job.state, str)
    assert_type(job.status, str)
    assert_type(job.ready(), bool)
    assert_type(job.cancel(), str)
    assert_type(job.id, str)
    return job.value().text


def vectors(texts: list[str]) -> list[list[float]]:
    options: EmbedOptions = {"dimensions": 256}
    assert_type(embed.delay("a text", "user-1"), EmbeddingJob)
    assert_type(embed.many([texts, texts], "user-1", model="m"), list[EmbeddingJob])
    embed.apply_async((texts, "user-1"), options)
    embed.s(texts, user_id="user-1")
    job = embed.delay(texts, "user-1", **options)
    assert_type(job.value(timeout=5), Embeddings)
    return embed.AsyncResult(job.id).value().vectors


def batches(texts: list[str]) -> Batch:
    batch = Batch.submit([MESSAGES], "user-1", max_usd=1, temperature=0)
    assert_type(batch.progress(), Progress)
    for item in batch.results():
        assert_type(item.outcome, Completion | errors.JobError | None)
    assert_type(summarize.delay(texts[0], "user-1", style="bullets", max_tokens=300), Job)
    return summarize(texts, "user-1", max_words=100, tags=["night"])


async def loop(texts: list[str]) -> None:
    job = await complete.adelay(MESSAGES, "user-1", **OPTIONS)
    assert_type(job, Job)
    assert_type(await job, Completion)
    assert_type(await asyncio.wait_for(job, 5), Completion)
    assert_type(await asyncio.create_task(job), Completion)
    assert_type(await asyncio.gather(job, job), tuple[Completion, Completion])
    assert_type(await asyncio.gather(*[job]), list[Completion])
    async with asyncio.TaskGroup() as group:
        assert_type(group.create_task(job), asyncio.Task[Completion])
    assert_type(await (await embed.adelay(texts, "user-1")), Embeddings)
    assert_type(await complete.amany([MESSAGES], "user-1"), list[Job])
    assert_type(await summarize.adelay(texts[0], "user-1"), Job)
    assert_type(await Batch.asubmit([MESSAGES], "user-1", lane="batch"), Batch)
    assert_type(await job.aprogress(), JobStatus)


limit: errors.RateLimited = errors.RateLimited("no", {"retry_after_s": 5.0})
assert_type(limit.retry_after_s, float | None)
