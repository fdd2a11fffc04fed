"""The public API as a typed web app sees it. mypy --strict checks this file; nothing runs it."""

from typing import assert_type

from producer import Completion, Embeddings, Job, complete, embed, errors

job = complete.delay([{"role": "user", "content": "hi"}], "user-1", temperature=0)
known: Job = complete.AsyncResult("an id")
assert_type(known.value(timeout=5), Completion)
assert_type(known.status.cost_usd, float)
assert_type(known.cancel(), str)
vectors = embed.delay(["a text"], "user-1", model="openai:text-embedding-3-small")
assert_type(vectors.value(timeout=5), Embeddings)
assert_type(vectors.value().vectors, list[list[float]])
limit: errors.RateLimited = errors.RateLimited("no", {"retry_after_s": 5.0})
assert_type(limit.retry_after_s, float | None)
