"""One way to ask any adapter over a real socket."""

from types import SimpleNamespace

import pytest

from producer.contract.messages import CompletionRequest
from worker.loop import Loop
from worker.providers import Call, load

KEY, PROMPT = "sk-secret-key", "the secret prompt"
MODELS = {"openai": "gpt-4o-mini", "anthropic": "claude-haiku-4-5", "gemini": "gemini-2.5-flash-lite"}
"""Every adapter with a wire, and a model of its own."""


@pytest.fixture(scope="package")
def loop():
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def adapter():
    """Which one; a test module overrides it, by one name or as a parameter."""
    raise NotImplementedError


@pytest.fixture
def ask(loop, adapter):
    """Ask the adapter over `base_url`, as the wire server gives it; its client is closed afterwards."""
    opened = []

    def ask_(base_url, timeout_s=10.0, options=None, model=MODELS[adapter], temperature=0.5, **fields):
        told = {name: fields.pop(name) for name in ("prefill", "cache_prefix", "refused") if name in fields}
        request = CompletionRequest.checked(**({"messages": [{"role": "user", "content": PROMPT}]} | fields))
        call = Call("job-1", model, request, max_tokens=50, temperature=temperature, timeout_s=timeout_s, **told)
        url = base_url if adapter == "openai" else base_url.removesuffix("/v1")
        provider = loop.run(lambda: _build(url, options), 10, "build")
        opened.append(provider)
        return loop.run(lambda: provider.complete(call), timeout_s, "job-1")

    async def _build(base_url, options):
        return load(adapter)(base_url, KEY, options or {})

    yield ask_
    for provider in opened:
        loop.run(provider.aclose, 5, "close")


@pytest.fixture
def secrets():
    """What must show up nowhere."""
    return SimpleNamespace(key=KEY, prompt=PROMPT)
