"""What leaves an adapter: an answer that can be stored, or an error of ours."""

import asyncio

import pytest

from producer.contract.messages import FunctionCall, ToolCall
from producer.contract.requests import CompletionRequest
from worker.faults import Fault, ProviderError
from worker.loop import Loop
from worker.providers import Call, Reply
from worker.providers.clients import Clients
from worker.providers.credentials import Credentials
from worker.providers.sending import current
from worker.settings import Link, SourceSettings

SECRET = "the prompt and sk-secret"


class Broken:
    """An adapter whose construction or call fails as the base URL says."""

    def __init__(self, base_url, api_key, options):
        self.base_url = base_url
        if base_url == "http://built":
            raise RuntimeError(SECRET)

    async def complete(self, call):
        if self.base_url == "http://called":
            raise KeyError(SECRET)
        function = FunctionCall.model_construct(name="f", arguments='"\ud83d"')
        call = ToolCall.model_construct(id="c", type="function", function=function)
        return Reply("a\ud83db", "stop", "m", None, tool_calls=(call,))

    async def aclose(self):
        pass


@pytest.fixture
def ask(monkeypatch):
    monkeypatch.setattr("worker.providers.clients.load", lambda adapter: Broken)
    loop = Loop()

    def clients_of(base_url):
        link = Link(provider="p", model="m", adapter="broken", base_url=base_url)
        return link, Clients(loop, Credentials((link,), SourceSettings()))

    def build(base_url):
        link, clients = clients_of(base_url)
        clients.build(link)

    def ask_(base_url, timeout_s=5.0):
        link, clients = clients_of(base_url)
        request = CompletionRequest.checked(messages=[{"role": "user", "content": "q"}])
        return clients.call(link, Call("job", "m", request, 5, None, timeout_s))

    ask_.build = build
    yield ask_
    loop.close()


@pytest.mark.parametrize(
    ("stage", "fault", "maybe_billed"),
    [("built", Fault.MISCONFIGURED, False), ("called", Fault.BAD_RESPONSE, True)],
)
def test_every_exception_becomes_an_error_without_its_text(ask, stage, fault, maybe_billed):
    """A client that cannot be built has sent nothing."""
    with pytest.raises(ProviderError) as caught:
        ask(f"http://{stage}")
    assert (caught.value.fault, caught.value.maybe_billed) == (fault, maybe_billed)
    assert caught.value.__cause__ is None
    assert "secret" not in str(caught.value) + repr(caught.value.args)


def test_a_client_is_built_without_a_call(ask):
    """As `completions check` does."""
    with pytest.raises(ProviderError, match="the client cannot be built: RuntimeError"):
        ask.build("http://built")
    ask.build("http://called")


def test_lone_surrogates_are_replaced(ask):
    reply = ask("http://answers")
    assert reply.text == "a\ufffdb"
    assert reply.tool_calls[0].function.arguments == '"\ufffd"'


class Connecting(Broken):
    """Its transport waits for a connection, or for the reply."""

    async def complete(self, call):
        sending = current()
        async with asyncio.timeout(None) as limit:
            sending.connects(limit)
            if self.base_url == "http://sent":
                sending.writes()
            await asyncio.sleep(60)


@pytest.mark.parametrize(("stage", "word"), [("sent", "answer"), ("connecting", "connection")])
def test_a_deadline_before_the_request_was_written_costs_nothing(ask, monkeypatch, stage, word):
    monkeypatch.setattr("worker.providers.clients.load", lambda adapter: Connecting)
    with pytest.raises(ProviderError, match=f"no .*{word} within") as caught:
        ask(f"http://{stage}", timeout_s=0.1)
    assert caught.value.fault is Fault.TIMEOUT
    assert caught.value.maybe_billed == (stage == "sent")


class Counting(Broken):
    """Counts its clients."""

    built = 0

    def __init__(self, base_url, api_key, options):
        super().__init__(base_url, api_key, options)
        Counting.built += 1


def test_clients_are_built_before_the_first_call(monkeypatch):
    """One that cannot be built stops nothing."""
    monkeypatch.setattr("worker.providers.clients.load", lambda adapter: Counting)
    links = tuple(
        Link(provider=name, model="m", adapter="broken", base_url=f"http://{name}")
        for name in ("built", "answers")
    )
    loop = Loop()
    clients = Clients(loop, Credentials(links, SourceSettings()))
    clients.prepare(links)
    assert Counting.built == 1
    request = CompletionRequest.checked(messages=[{"role": "user", "content": "q"}])
    clients.call(links[1], Call("job", "m", request, 5, None, 5.0))
    assert Counting.built == 1
    loop.close()
