"""A shared beginning is cached when it pays: asked for, or seen a second time among batch jobs."""

from producer.contract.requests import CompletionRequest
from worker.providers import prefixes
from worker.providers.prefixes import Prefixes


def asked(system="s", lane="batch", question="q", **options):
    messages = [{"role": "system", "content": system}] if system else []
    return CompletionRequest.checked(
        messages=[*messages, {"role": "user", "content": question}], lane=lane, **options
    )


def test_the_second_batch_job_with_the_same_beginning_writes_it():
    """Not the first: a beginning that never comes again would cost a quarter more for nothing."""
    seen = Prefixes()
    assert [seen.should_cache(asked(question=str(n))) for n in range(3)] == [False, True, True]
    assert not seen.should_cache(asked(system="another"))
    assert not seen.should_cache(asked(lane="interactive"))
    assert [seen.should_cache(asked(system="")) for _ in range(2)] == [False, False]


def test_what_was_last_seen_long_ago_is_gone_from_the_providers_cache(monkeypatch):
    seen, clock = Prefixes(), iter([0.0, 299.0, 299.0 + 301.0])
    monkeypatch.setattr(prefixes.time, "monotonic", lambda: next(clock))
    assert [seen.should_cache(asked()) for _ in range(3)] == [False, True, False]


def test_a_request_may_say_so_itself():
    assert Prefixes().should_cache(asked(lane="interactive", prompt_cache="on"))
    seen = Prefixes()
    assert [seen.should_cache(asked(prompt_cache="off")) for _ in range(2)] == [False, False]
