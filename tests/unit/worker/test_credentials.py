"""When keys are read again, and what becomes of clients that were built with the old ones."""

import asyncio
import os
import threading

import pytest
from support.ledger import until

from producer.contract.requests import CompletionRequest
from worker.loop import Loop
from worker.providers import Call, Reply
from worker.providers import credentials as module
from worker.providers.clients import Clients
from worker.providers.credentials import Credentials
from worker.settings import Link, SourceSettings

KEY = "LLM_LINK_DOOR_API_KEY"
ALWAYS, NEVER = 1e-9, 3600


class Door:
    """A provider that answers with its key; the job "held" waits at it until it is let in."""

    entered = threading.Event()
    let = threading.Event()
    closed = []

    def __init__(self, base_url, api_key, options):
        self.key = api_key

    @classmethod
    def unsupported(cls, request):
        return ""

    async def complete(self, call):
        if call.job_id == "held":
            self.entered.set()
            await asyncio.to_thread(self.let.wait, 30)
        assert self.key not in self.closed
        return Reply(text=self.key, finish="stop", model=call.model, usage=None)

    async def aclose(self):
        self.closed.append(self.key)


LINK = Link(provider="door", model="m", adapter=f"{__name__}:Door", api_key="key-a")


@pytest.fixture
def key_file(tmp_path, monkeypatch):
    monkeypatch.setenv("LLM_SECRETS_DIR", str(tmp_path))
    (tmp_path / KEY).write_text("key-a")
    return tmp_path / KEY


def credentials(key_file, reload_s=ALWAYS):
    return Credentials((LINK,), SourceSettings(folder=key_file.parent, reload_s=reload_s))


def key(current):
    return current.apply_to(LINK).api_key.get_secret_value()


def test_a_call_ends_with_the_client_it_began_with(key_file):
    """The next one has the new key at once; the old client is closed when its last call ends."""
    loop = Loop()
    current = credentials(key_file)
    answers = {}
    clients = Clients(loop, current)
    request = CompletionRequest.checked(messages=[{"role": "user", "content": "hello"}])

    def call(job_id):
        answers[job_id] = clients.call(LINK, Call(job_id, "m", request, 10, None, 30)).text

    held = threading.Thread(target=call, args=("held",))
    held.start()
    assert Door.entered.wait(10)
    key_file.write_text("key-b")
    current.reload_if_due()
    call("next")
    assert (answers, Door.closed) == ({"next": "key-b"}, [])
    Door.let.set()
    held.join(10)
    assert answers == {"held": "key-a", "next": "key-b"}
    until(lambda: Door.closed == ["key-a"])
    clients.close()
    assert Door.closed == ["key-a", "key-b"]
    loop.close()


def test_keys_are_read_again_in_their_time_or_when_one_is_refused(key_file, monkeypatch):
    current = credentials(key_file, NEVER)
    key_file.write_text("key-b")
    current.reload_if_due()
    current.reload_if_due(refused=True)  # it was read only just now
    assert key(current) == "key-a"
    monkeypatch.setattr(module, "REFUSED_S", 0)
    current.reload_if_due(refused=True)
    assert key(current) == "key-b"


def test_the_environment_is_read_once(monkeypatch):
    """It cannot change from outside, so it is never read again."""
    current = Credentials((LINK,), SourceSettings(reload_s=ALWAYS))
    monkeypatch.setenv(KEY, "key-b")
    current.reload_if_due()
    assert key(current) == "key-a"


def test_a_source_that_fails_leaves_the_keys_as_they_are(key_file, caplog):
    """So does one that has lost a key; both are logged, without a value."""
    current = credentials(key_file)
    key_file.write_text("key-b")
    current.reload_if_due()
    key_file.unlink()
    current.reload_if_due()
    key_file.mkdir()
    current.reload_if_due()
    assert key(current) == "key-b"
    lost, unreadable = [
        record.message for record in caplog.records if record.levelname == "WARNING"
    ]
    assert "door has no key any more" in lost
    assert f"{KEY} cannot be read" in unreadable
    assert "key-" not in caplog.text


def test_a_job_does_not_wait_for_another_ones_reload(key_file):
    """A pipe in the file's place is a source that takes its time."""
    current = credentials(key_file)
    key_file.unlink()
    os.mkfifo(key_file)
    reloading = threading.Thread(target=current.reload_if_due)
    reloading.start()
    with key_file.open("w") as slow:  # opens when the other end is read
        current.reload_if_due()
        assert key(current) == "key-a"
        slow.write("key-b")
    reloading.join(10)
    assert key(current) == "key-b"
