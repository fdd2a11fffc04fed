"""A web app over completions, as small as it can be: ask and wait, ask and poll, many at once.

    REDIS_URL=redis://127.0.0.1:6379/0 uvicorn examples.webapp:app

Who the user is comes from a header here; a real app takes it from its session. Nothing blocks the
event loop: `adelay` submits in a thread, and `await job` waits.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel

from producer import (
    Batch,
    Completion,
    Job,
    JobError,
    JobStatus,
    Progress,
    complete,
    errors,
    user_as_counted,
)

WAIT_S = 20.0

app = FastAPI(title="completions")
User = Annotated[str, Header(alias="X-User")]


class Question(BaseModel):
    text: str


@app.exception_handler(JobError)
async def job_error(_: Request, error: JobError) -> JSONResponse:
    """A job's error as HTTP: whose fault it is, and when to try again."""
    retry_after = error.details.get("retry_after_s")
    headers = {"Retry-After": str(round(retry_after))} if retry_after else {}
    body = {"error": type(error).__name__, "message": str(error)}
    return JSONResponse(body, status_code=_status(error), headers=headers)


@app.post("/ask")
async def ask(question: Question, user: User) -> JSONResponse:
    """The answer, or 202 with the job's id after `WAIT_S`: the job goes on."""
    messages = [{"role": "user", "content": question.text}]
    job = await complete.adelay(messages, user, deadline_s=300)
    try:
        async with asyncio.timeout(WAIT_S):
            return JSONResponse(_answer(await job))
    except TimeoutError:
        return JSONResponse({"job": job.id}, status_code=202)


@app.get("/jobs/{job_id}")
async def job(job_id: str, user: User) -> JSONResponse:
    """The answer, or where the job stands."""
    found = complete.AsyncResult(job_id)
    status = await _status_for(found, user)
    if status.state in ("waiting", "released", "running", "parked"):
        return JSONResponse(
            {"job": job_id, "state": status.state, "ahead": status.ahead}, status_code=202
        )
    return JSONResponse(_answer(await found))


@app.delete("/jobs/{job_id}")
async def cancel(job_id: str, user: User) -> dict[str, str]:
    found = complete.AsyncResult(job_id)
    await _status_for(found, user)
    return {"state": await found.acancel()}


@app.post("/batches", status_code=202)
async def submit(questions: list[Question], user: User) -> dict[str, str]:
    requests = [[{"role": "user", "content": question.text}] for question in questions]
    batch = await Batch.asubmit(requests, user)
    return {"batch": batch.id}


@app.get("/batches/{batch_id}")
async def progress(batch_id: str, user: User) -> dict[str, object]:
    return asdict(await _progress_for(Batch(batch_id), user))


@app.get("/batches/{batch_id}/results")
async def results(batch_id: str, user: User) -> StreamingResponse:
    """What is there now, one JSON object a line, never all in memory."""

    def lines() -> Iterator[str]:
        for item in Batch(batch_id).results():
            answered = isinstance(item.outcome, Completion)
            yield (
                json.dumps(
                    {
                        "index": item.index,
                        "state": item.state,
                        "text": item.outcome.text if answered else None,
                    }
                )
                + "\n"
            )

    await _progress_for(Batch(batch_id), user)
    return StreamingResponse(lines(), media_type="application/x-ndjson")


async def _status_for(found: Job, user: str) -> JobStatus:
    """Of the user's own job; another's does not exist for them."""
    status = await found.aprogress()
    if status.user_id != user_as_counted(user):
        raise errors.OutcomeUnknown(f"there is no job {found.id}")
    return status


async def _progress_for(batch: Batch, user: str) -> Progress:
    """Of the user's own batch; another's does not exist for them."""
    progress = await batch.aprogress()
    if progress.user_id != user_as_counted(user):
        raise errors.OutcomeUnknown(f"there is no batch {batch.id}")
    return progress


def _answer(completion: Completion) -> dict[str, object]:
    return {
        "text": completion.text,
        "model": completion.model,
        "cost_usd": completion.cost_usd,
        "cached": completion.cached,
    }


def _status(error: JobError) -> int:
    match error:
        case errors.InvalidRequest() | errors.TooLong():
            return 422
        case errors.RateLimited() | errors.BudgetExceeded():
            return 429
        case errors.Unavailable():
            return 503
        case errors.OutcomeUnknown():
            return 404
        case _:
            return 502
