"""One message when a finding begins and one when it is over, whichever process checks.

Nothing is lost on the way.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.ledger import KEYS, ask, connection, until

from producer.contract.errors import JobError
from worker.embedded import EmbeddedValkey
from worker.ledger.connection import connect
from worker.monitoring.alerts import Alerts
from worker.monitoring.health import Health
from worker.settings import AlertSettings, HealthSettings


class Inbox:
    """Where messages are posted; `refuse` makes it answer 503, `babble` what is no HTTP, and
    without `free` it answers nothing.
    """

    def __init__(self):
        self.got = []
        self.refuse = self.babble = False
        self.asked = 0
        self.free = threading.Event()
        self.free.set()
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                inbox.asked += 1
                inbox.free.wait(30)
                if inbox.babble:
                    self.wfile.write(b"no HTTP\r\n\r\n")
                    return
                if not inbox.refuse:
                    inbox.got.append((self.path, body))
                self.send_response(503 if inbox.refuse else 200)
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def of(self, path, name):
        return [
            body["status"]
            for at, body in self.got
            for finding in body.get("findings", ())
            if (at, finding["name"]) == (path, name)
        ]

    def close(self):
        self.free.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def inbox():
    inbox = Inbox()
    yield inbox
    inbox.close()


def alerts_at(url, **settings):
    ledger = connection(url)
    health = Health(ledger, HealthSettings(least=1))
    return Alerts(ledger, health, AlertSettings(**({"period_s": 0.001, "clear_s": 0} | settings)))


def test_a_fleet_says_it_once(complete, wire, openai_env, start_worker, inbox):
    """Two workers look; one firing and one recovery notice arrive, at both URLs, and in one
    worker's log.
    """
    env = {
        "LLM_ALERT_WEBHOOK": f"{inbox.url}/hook",
        "LLM_ALERT_SLACK": f"{inbox.url}/slack?token=secret-token",
        "LLM_ALERT_PERIOD_SECONDS": "0.2",
        "LLM_ALERT_CLEAR_SECONDS": "0.1",
        "LLM_ALERTS": "circuit,auth",
    }
    wire.script = lambda request, number: "429;ra=2"
    workers = [start_worker(openai_env | env | {"LLM_MAX_ATTEMPTS": "1"}) for _ in range(2)]
    with pytest.raises(JobError):
        complete.delay(ask("the secret prompt"), "u1").value(30)
    until(lambda: inbox.of("/hook", "circuit") == ["firing", "resolved"])
    until(lambda: len([1 for path, _ in inbox.got if path.startswith("/slack")]) == 2)
    firing, resolved = (body["text"] for path, body in inbox.got if path.startswith("/slack"))
    assert "firing: *circuit* openai:gpt-4o-mini" in firing
    assert "resolved: *circuit*" in resolved
    until(lambda: sum(worker.log().count("ALERT resolved: circuit") for worker in workers) == 1)
    logs = "".join(worker.log() for worker in workers)
    assert logs.count("ALERT firing: circuit (openai:gpt-4o-mini)") == 1
    assert [
        word
        for word in ("secret-token", "secret prompt")
        if word in logs + json.dumps([body for _, body in inbox.got])
    ] == []


def look(alerts, url):
    """In a new period; what is new has been told, or could not be."""
    with connect(url) as redis:
        redis.delete(KEYS.watch)
    check(alerts)


def check(alerts):
    alerts.check()
    for thread in alerts._sending.values():
        thread.join(30)


def test_what_was_not_delivered_is_sent_again(redis_url, inbox, caplog):
    """Only to the target that refused it: the log has it once."""
    alerts = alerts_at(redis_url, webhook=f"{inbox.url}/hook", names={"no_workers"})
    caplog.set_level("INFO")
    inbox.refuse = True
    for _ in range(3):
        inbox.babble = not inbox.babble
        look(alerts, redis_url)
    inbox.refuse = inbox.babble = False
    look(alerts, redis_url)
    assert inbox.of("/hook", "no_workers") == ["firing"]
    assert caplog.text.count("ALERT firing: no_workers") == 1
    assert caplog.text.count("webhook takes no message") == 3
    assert inbox.url not in caplog.text


def test_a_webhook_that_hangs_is_asked_once_and_holds_nothing_up(redis_url, inbox, caplog):
    """Whichever processes look meanwhile; what is new reaches the others at once, and the webhook,
    in one message, when it answers again.
    """
    hook = {"webhook": f"{inbox.url}/hook", "slack": f"{inbox.url}/slack"}
    names = {"no_workers", "clock_skew"}
    first, second = (alerts_at(redis_url, names=names, **hook) for _ in "ab")
    redis = connect(redis_url)
    inbox.free.clear()
    first.check()
    until(lambda: inbox.asked == 2)
    redis.zadd(KEYS.workers, {"w1": 9e12, "w2": 9e12})
    redis.hset(KEYS.skews, mapping={"w1": 9000, "w2": 9000})
    for each in (second, first, second):
        redis.delete(KEYS.watch)
        each.check()
    until(lambda: caplog.text.count("ALERT firing: clock_skew") == 2)
    assert inbox.asked == 2
    inbox.free.set()
    until(lambda: not redis.exists(KEYS.telling("webhook"), KEYS.telling("slack")))
    look(first, redis_url)
    assert sorted(inbox.of("/hook", "no_workers")) == ["firing", "resolved"]
    assert inbox.of("/hook", "clock_skew") == ["firing", "firing"]
    hooks = [body["status"] for path, body in inbox.got if path == "/hook"]
    assert sorted(hooks) == ["firing", "firing", "resolved"]
    redis.close()


def test_a_flapping_finding_is_sent_once(redis_url, inbox):
    """It must be gone for a while before it counts as over; a new process knows what was sent."""
    redis = connect(redis_url)
    hook = {"webhook": f"{inbox.url}/hook", "names": {"no_workers"}}
    for alive in (False, True, False, True):
        redis.delete(KEYS.workers)
        if alive:
            redis.zadd(KEYS.workers, {"w": 9e12})
        look(alerts_at(redis_url, clear_s=60, **hook), redis_url)
    assert inbox.of("/hook", "no_workers") == ["firing"]
    alerts = alerts_at(redis_url, **hook)
    look(alerts, redis_url)
    assert inbox.of("/hook", "no_workers") == ["firing", "resolved"]
    assert not redis.exists(KEYS.told)
    seen = json.loads(redis.hget(KEYS.alerts, "no_workers|"))
    redis.hset(KEYS.alerts, "no_workers|", json.dumps(seen | {"seen": seen["seen"] - 60}))
    look(alerts, redis_url)
    assert not redis.exists(KEYS.alerts)
    redis.close()


def test_a_ledger_that_is_away_is_reported_by_the_process_that_looked_last(
    own_valkey: EmbeddedValkey, inbox
):
    """The one that sent that it was away sends that it is back, whichever looks."""
    first, second = (
        alerts_at(own_valkey.url(), webhook=f"{inbox.url}/hook", names={"redis_away"}, period_s=60)
        for _ in "ab"
    )
    first.check()
    second.check()
    own_valkey.kill()
    for each in (first, second, first, second):
        check(each)
    assert inbox.of("/hook", "redis_away") == ["firing"]
    own_valkey.start()
    for each in (second, first):
        check(each)
    assert inbox.of("/hook", "redis_away") == ["firing", "resolved"]


def test_every_finding_can_be_sent(redis_url, start_worker):
    """As health words them; a name that does not exist stops the worker."""
    worker = start_worker({"LLM_ALERTS": "none"})
    worker.stop()
    with pytest.raises(AssertionError, match=r"LLM_ALERTS: no finding is called slowness"):
        start_worker({"LLM_ALERTS": "slowness,slow"})
