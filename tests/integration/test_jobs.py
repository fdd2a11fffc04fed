"""The main job, end to end through a real worker: what a web app sees."""

import json

import pytest
from support.ledger import KEYS, LedgerProbe, ask

from producer.contract.errors import (
    BudgetExceeded,
    Cancelled,
    Conflict,
    DeadlineExceeded,
    InvalidRequest,
    OutcomeUnknown,
    Poisoned,
    ProvidersExhausted,
    RateLimited,
    Refused,
    Truncated,
)

BACKUP = {
    "LLM_CHAIN": "openai:gpt-4o-mini,backup:sim-small",
    "LLM_LINK_BACKUP_ADAPTER": "simulator",
    "LLM_PRICES": "backup:*=0.15/0.60",
    "OPENAI_API_KEY": "sk-secret-key",
    "LLM_BACKOFF_SECONDS": "0.05",
    "LLM_COOLDOWN_SECONDS": "0.2",
}


def test_an_answer_carries_its_bill(complete, wire, openai_env, start_worker):
    """Text, provider, tokens, dollars and latency come back, also through Celery's own get()."""
    wire.script = lambda request, number: "ok;in=1000;out=500"
    start_worker(openai_env)
    job = complete.delay(ask("hello"), "u1")
    completion = job.value(30)
    assert completion.text == "A wired answer, always the same."
    assert (completion.provider, completion.model, completion.attempts) == (
        "openai",
        "gpt-4o-mini",
        1,
    )
    assert (completion.usage.input, completion.usage.output) == (1000, 500)
    assert completion.cost_usd == 0.00045
    assert job.get(timeout=10)["text"] == completion.text
    assert job.state == job.status == "SUCCESS"
    assert job.progress().state == "done"


def test_the_fallback_is_a_visible_retry(complete, wire, start_worker):
    """The state is RETRY between the links, the reason names link and fault, and the second
    answers.
    """
    wire.script = lambda request, number: "503;delay=0.1"
    worker = start_worker(BACKUP | {"OPENAI_BASE_URL": wire.base_url})
    job = complete.delay(ask("rotate"), "u1")
    assert job.value(30).provider == "backup"
    assert job.progress().tried == (("openai:gpt-4o-mini", "overloaded"), ("backup:sim-small", ""))
    assert f"{job.id}] retry: openai:gpt-4o-mini overloaded: HTTP 503" in worker.log()


def test_exhaustion_lists_every_attempt(complete, wire, openai_env, start_worker):
    """A typed error, not the last one's accident."""
    wire.script = lambda request, number: "500"
    start_worker(openai_env)
    with pytest.raises(ProvidersExhausted) as caught:
        complete.delay(ask("x"), "u1").value(30)
    attempt = {"link": "openai:gpt-4o-mini", "fault": "unavailable", "status": 500}
    assert caught.value.attempts == [attempt | {"type": "invalid_request_error"}] * 3


def test_a_stale_answer_beats_none(complete, wire, openai_env, start_worker):
    """When every provider fails, an expired copy is returned, marked with its age."""
    start_worker(openai_env | {"LLM_CACHE_TTL_SECONDS": "1", "LLM_MAX_ATTEMPTS": "1"})
    first = complete.delay(ask("same"), "u1", temperature=0).value(30)
    wire.script = lambda request, number: "500"
    while (answer := complete.delay(ask("same"), "u1", temperature=0).value(30)).degraded is None:
        assert answer.cached
    assert (answer.degraded, answer.text, answer.cost_usd) == ("stale", first.text, 0)
    assert answer.age_s >= 1


def test_a_static_answer_is_the_last_resort(complete, wire, openai_env, start_worker):
    """Configured, marked, free."""
    wire.script = lambda request, number: "500"
    start_worker(openai_env | {"LLM_STATIC_FALLBACK": "Please try later.", "LLM_MAX_ATTEMPTS": "1"})
    answer = complete.delay(ask("x"), "u1").value(30)
    assert (answer.text, answer.degraded, answer.cost_usd) == ("Please try later.", "static", 0)


def test_truncation_never_passes_silently(complete, wire, openai_env, start_worker):
    """fail: the partial text in a typed error; accept: marked; retry: once, with twice the tokens.
    The log says ALERT.
    """
    worker = start_worker(openai_env)
    wire.script = lambda request, number: "length"
    with pytest.raises(Truncated) as caught:
        complete.delay(ask("x"), "u1", max_tokens=50).value(30)
    assert caught.value.partial_text == "A wired answer, always the same."
    assert (
        complete.delay(ask("x"), "u1", on_truncation="accept").value(30).finish_reason == "length"
    )
    wire.script = lambda request, number: (
        "length" if request["max_completion_tokens"] == 50 else "ok"
    )
    job = complete.delay(ask("x"), "u1", max_tokens=50, on_truncation="retry")
    assert (job.value(30).finish_reason, job.progress().attempts) == ("stop", 2)
    lines = [json.loads(line) for line in worker.log().splitlines() if '"provider_call"' in line]
    alerts = [line["alert"] for line in lines if line["finish_reason"] == "length"]
    assert alerts == ["TRUNCATED_RESPONSE: increase max_tokens or shorten the prompt"] * 3
    assert "A wired answer" not in worker.log()


@pytest.mark.parametrize(
    ("event", "reason"),
    [("refusal", "refusal"), ("filter", "content_filter"), ("policy", "content_filter")],
)
def test_a_refusal_is_an_error(complete, wire, openai_env, start_worker, event, reason):
    """No empty text passes as an answer."""
    wire.script = lambda request, number: event
    start_worker(openai_env)
    with pytest.raises(Refused) as caught:
        complete.delay(ask("x"), "u1").value(30)
    assert caught.value.details["reason"] == reason


def test_limits_refuse_with_the_numbers(complete, wire, openai_env, start_worker):
    """Which limit, used, asked and when it frees; nothing is called."""
    env = {"LLM_USER_REQUESTS_PER_MINUTE": "5", "LLM_MAX_COST_PER_REQUEST": "0.005"}
    start_worker(openai_env | env)
    with pytest.raises(BudgetExceeded, match="max_cost_per_request"):
        complete.delay(ask("x"), "u1", max_tokens=16_000).value(30)
    for _ in range(5):
        complete.delay(ask("x"), "u1", max_tokens=10).value(30)
    with pytest.raises(RateLimited) as caught:
        complete.delay(ask("x"), "u1", max_tokens=10).value(30)
    told = {"limit": "user_requests_per_minute", "allowed": 5, "used": 5, "held": 0, "asked": 1}
    assert caught.value.details.items() >= told.items()
    (in_the_way,) = caught.value.details["limits"]
    assert in_the_way.items() >= told.items()
    assert 0 < caught.value.retry_after_s <= 61
    assert len(wire.calls) == 5


def test_an_unknown_model_names_the_known_ones(complete, openai_env, start_worker):
    """The worker says so, which alone knows the provider chain."""
    start_worker(openai_env)
    with pytest.raises(InvalidRequest, match="openai:gpt-4o-mini"):
        complete.delay(ask("x"), "u1", model="gpt-99").value(30)


def test_a_queued_job_is_cancelled_for_free(complete, redis_url):
    """It never runs; its end is still reported to the result backend once a worker comes."""
    job = complete.delay(ask("x"), "u1")
    assert job.cancel() == "cancelled"
    with pytest.raises(Cancelled):
        job.value(5)
    with LedgerProbe(redis_url) as ledger:
        assert ledger.open() == 0


def test_a_running_job_is_cancelled_at_its_socket(complete, wire, openai_env, start_worker):
    """The call is stopped, what it may have cost stays booked, and get() raises as value() does."""
    wire.script = lambda request, number: "hang"
    start_worker(openai_env)
    job = complete.delay(ask("x"), "u1")
    wire.wait_for(len)
    assert job.cancel() == "cancelling"
    wire.wait_for(lambda calls: calls[0].ended)
    with pytest.raises(Cancelled):
        job.value(20)
    with pytest.raises(Cancelled):
        job.get(timeout=20)
    assert job.progress().maybe_billed_usd > 0


@pytest.mark.parametrize("event", ["hang", "hang_headers", "drip;gap=0.1"])
def test_a_provider_that_never_ends_costs_one_timeout(
    complete, wire, openai_env, start_worker, event
):
    """The total deadline of a call holds inside a real worker; the attempt counts as possibly
    billed.
    """
    wire.script = lambda request, number: event
    start_worker(openai_env | {"LLM_TIMEOUT_SECONDS": "0.5", "LLM_MAX_ATTEMPTS": "1"})
    job = complete.delay(ask("x"), "u1")
    with pytest.raises(ProvidersExhausted, match="timeout"):
        job.value(30)
    assert job.progress().maybe_billed_usd > 0


def test_a_deadline_ends_a_job_that_waits(complete, wire, openai_env, start_worker):
    """Retry-After beyond the deadline is not waited out; a job due too late is never called."""
    wire.script = lambda request, number: "429;ra=600"
    start_worker(openai_env)
    with pytest.raises(DeadlineExceeded, match="HTTP 429"):
        complete.delay(ask("x"), "u1", deadline_s=20).value(15)
    late = complete.apply_async((ask("x"), "u2"), {"deadline_s": 0.5}, countdown=60)
    with pytest.raises(DeadlineExceeded):
        late.value(15)
    with pytest.raises(DeadlineExceeded):
        late.get(timeout=15)


def test_countdown_parks_a_job(complete, wire, openai_env, start_worker):
    """It is in the ledger, not in a worker's memory, and runs when due."""
    start_worker(openai_env)
    job = complete.apply_async((ask("x"), "u1"), countdown=1)
    assert job.progress().state == "parked"
    assert job.value(20).attempts == 1


def test_repeating_a_submission_is_safe(complete, wire, openai_env, start_worker):
    """The same id and request is the same job; another request under it is a conflict."""
    start_worker(openai_env)
    first = complete.apply_async((ask("x"), "u1"), task_id="mine")
    again = complete.apply_async((ask("x"), "u1"), task_id="mine")
    assert first.value(20) == again.value(20)
    with pytest.raises(Conflict):
        complete.apply_async((ask("y"), "u1"), task_id="mine")
    assert len(wire.calls) == 1


def test_a_plain_celery_client_is_adopted(complete, wire, openai_env, start_worker, redis_url):
    """A message by name with inline arguments becomes a job under its own id; its arguments show
    nowhere.
    """
    from celery import Celery

    worker = start_worker(openai_env)
    client = Celery("plain", broker=redis_url, backend=redis_url, set_as_current=False)
    options = {"queue": "completions.interactive"}
    result = client.send_task(
        "completions.complete", [ask("TOPSECRET"), "u1"], {"max_tokens": 20}, **options
    )
    assert result.get(timeout=20)["text"] == "A wired answer, always the same."
    assert complete.AsyncResult(result.id).progress().state == "done"
    bad = client.send_task("completions.complete", [ask("TOPSECRET"), 7], **options)
    with pytest.raises(InvalidRequest, match="user_id"):
        bad.get(timeout=20)
    assert "TOPSECRET" not in worker.log()
    client.close()


def test_no_secret_reaches_logs_broker_or_records(
    complete, wire, openai_env, start_worker, redis_url
):
    """Prompts, answers and keys are in the ledger's request, outcome and cache and in the result
    backend, nowhere else.
    """
    worker = start_worker(openai_env)
    with LedgerProbe(redis_url) as ledger:
        monitor = ledger.redis.pubsub()
        monitor.psubscribe("/*celeryev*")
        complete.delay(ask("TOPSECRET"), "u1", temperature=0).value(20)
        wire.script = lambda request, number: "400"
        with pytest.raises(InvalidRequest):
            complete.delay(ask("TOPSECRET two"), "u1").value(20)
        seen = worker.log()
        while message := monitor.get_message(timeout=1):
            seen += str(message)
        monitor.close()
        seen += str([ledger.redis.hgetall(key) for key in ledger.redis.scan_iter(KEYS.job("*"))])
    for secret in ("TOPSECRET", "sk-secret-key", "A wired answer"):
        assert secret not in seen


def test_an_unknown_job_is_not_waited_for(complete):
    """value() of an id the ledger never saw raises at once."""
    with pytest.raises(OutcomeUnknown):
        complete.AsyncResult("unheard-of").value(30)


def test_a_job_that_breaks_the_worker_is_poison_not_a_loop(complete, start_worker, redis_url):
    """After an error of our own a job is tried again a bounded number of times, then it ends."""
    job = complete.delay(ask("x"), "u1")
    with LedgerProbe(redis_url) as ledger:
        ledger.redis.set(KEYS.request(job.id), "this is not the request any more")
    start_worker({"LEDGER_MAX_DELIVERIES": "2", "LEDGER_LEASE_SECONDS": "1"})
    with pytest.raises(Poisoned):
        job.value(30)
    with pytest.raises(Poisoned):
        job.get(timeout=15)
