"""One way to ask any adapter over a real socket."""

import json
from types import SimpleNamespace

import pytest
from contract.exchanges import COMMON, of, wired

from producer.contract.requests import CompletionRequest
from worker.loop import Loop
from worker.providers import Call, load

KEY, PROMPT = "sk-secret-key", "the secret prompt"
BOTH_WAYS = ("test_providers",)
ONE_WAY = ("vendor_s_words", "unusable", "refused_connection")
"""Words in the names of tests of what no stream is different in."""


def pytest_generate_tests(metafunc):
    """Run tests over every provider of the registry, or those of `--adapters`.

    Unless their module is about one provider.
    """
    named = metafunc.config.getoption("adapters")
    adapters = named.split(",") if named else wired()
    if "row" in metafunc.fixturenames:
        rows = [(adapter, row) for adapter in adapters for row in COMMON + of(adapter).own]
        metafunc.parametrize(
            ("adapter", "row"), rows, ids=[f"{adapter}-{row.event}" for adapter, row in rows]
        )
    one_way = any(word in metafunc.function.__name__ for word in ONE_WAY)
    if not one_way and metafunc.module.__name__.endswith(BOTH_WAYS):
        metafunc.parametrize("streams", [False, True], ids=["whole", "stream"])
    if "row" in metafunc.fixturenames:
        return
    if "adapter" in metafunc.fixturenames and not hasattr(metafunc.module, "adapter"):
        metafunc.parametrize("adapter", adapters)


@pytest.fixture(scope="package")
def loop():
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def adapter():
    """Which one; a test module may say it for all its tests."""
    raise NotImplementedError


@pytest.fixture
def streams():
    """Answers come as a whole; those of the modules `BOTH_WAYS` as a stream, too."""
    return False


@pytest.fixture
def connect(loop, adapter, streams):
    """`connect(base_url)` gives a client, closed afterwards, to ask as often as one likes."""
    opened = []

    def connect_(base_url, options=None):
        url = base_url.removesuffix("/v1") + of(adapter).path
        provider = loop.run(lambda: _build(url, options), 60, "build")
        opened.append(provider)

        def ask(timeout_s=10.0, **fields):
            call = _call(adapter, timeout_s, **{"streams": streams} | fields)
            return loop.run(lambda: provider.complete(call), timeout_s, "job-1")

        return ask

    async def _build(base_url, options):
        return load(adapter)(base_url, KEY, options or {})

    yield connect_
    for provider in opened:
        loop.run(provider.aclose, 5, "close")


def _call(adapter, timeout_s, model=None, temperature=0.5, max_tokens=50, job_id="job-1", **fields):
    names = ("prefill", "cache_prefix", "refused", "sends_limit", "streams", "silence_s", "thinks")
    names += ("options", "headers")
    extras = {name: fields.pop(name) for name in names if name in fields}
    fields = {"messages": [{"role": "user", "content": PROMPT}]} | fields
    return Call(
        job_id,
        model or of(adapter).model,
        CompletionRequest.checked(**fields),
        max_tokens=max_tokens,
        temperature=temperature,
        timeout_s=timeout_s,
        **extras,
    )


@pytest.fixture
def ask(connect):
    """Ask the adapter over `base_url` once."""
    return lambda base_url, options=None, **fields: connect(base_url, options)(**fields)


@pytest.fixture
def answered(wire, ask):
    """Ask for an answer whose body is given."""

    def answered_(raw, **options):
        wire.body = raw if isinstance(raw, str) else json.dumps(raw)
        return ask(wire.base_url, **options)

    return answered_


@pytest.fixture
def secrets():
    """What must show up nowhere."""
    return SimpleNamespace(key=KEY, prompt=PROMPT)
