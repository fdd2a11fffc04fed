"""Alerts: one message when a finding of health begins, one when it is over, for the whole fleet.

Any number of processes run this; in each period one of them looks. What is firing is in one hash of
the ledger, written by the one that looks; which target knows what is in another, written by those
that send. Each target is told in a thread of its own, by one process at a time, all that is new in
one message: a webhook that hangs delays neither the look nor the others. That it was told is noted
after it was, so that a death in between repeats it and never loses it. Redis down: the process that
looked last reports that, by itself.
"""

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from producer.redis_trouble import reason

from ..ledger.connection import ERRORS, LedgerConnection
from ..settings import AlertSettings
from .alert_targets import LONGEST_S, Status, Told, sent, targets
from .findings import Finding
from .health import Health, ledger_trouble

logger = logging.getLogger(__name__)

CHECK_S = 60
"""How long a look may take before another process begins one."""
GIVE_UP_S = 3600
"""How long the delivery of a recovery notice is tried."""


@dataclass
class Alert:
    """A finding as the fleet remembers it; times in seconds of the server's clock."""

    finding: Finding
    since: int
    seen: int
    over: bool = False
    """Whether it has been gone for long enough."""

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "Alert":
        stored = json.loads(text)
        return cls(Finding(*stored.pop("finding")), **stored)


class Alerts:
    """Looks every period in a thread of its own, from `start` to `close`."""

    def __init__(
        self, connection: LedgerConnection, health: Health, settings: AlertSettings
    ) -> None:
        self._connection = connection
        self._redis = connection.redis
        self._keys = connection.keys
        self._health = health
        self._settings = settings
        self._targets = targets(settings, connection.keys.prefix)
        self._sending: dict[str, threading.Thread] = {}
        self._looked_last = False
        self._away: Finding | None = None
        self._told_away: set[str] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=1.0)

    def check(self) -> None:
        """Look once, unless another process has in this period."""
        try:
            begun = self._redis.set(self._keys.watch, "1", nx=True, ex=CHECK_S)
        except ERRORS as error:
            self._ledger_is_away(error)
            return
        self._looked_last = bool(begun)
        self._ledger_is_back()
        if not begun:
            return
        verdict = self._health.check()
        if verdict.snapshot is None:
            return
        now = int(self._redis.time()[0])
        wanted = [finding for finding in verdict.findings if self._settings.wants(finding.name)]
        self._remember({f"{finding.name}|{finding.about}": finding for finding in wanted}, now)
        self._redis.pexpire(self._keys.watch, int(self._settings.period_s * 900))
        for name in self._targets:
            self._beside(name, self._deliver)

    def _run(self) -> None:
        while not self._stop.wait(self._settings.period_s):
            try:
                self.check()
            except Exception as error:
                expected = isinstance(error, ERRORS)
                logger.warning("alerts: %s; trying again", reason(error), exc_info=not expected)

    def _remember(self, findings: dict[str, Finding], now: int) -> None:
        """Note what is there, and what is there no longer."""
        known = self._known()
        for name, finding in findings.items():
            since = known[name].since if name in known else now
            self._redis.hset(self._keys.alerts, name, Alert(finding, since, now).dump())
        told = {str(field).partition("|")[2] for field in self._redis.hkeys(self._keys.told)}
        for name in known.keys() - findings.keys():
            alert = known[name]
            gone_s = now - alert.seen
            alert.over = gone_s >= self._settings.clear_s
            # That it began may be on its way to a target yet.
            kept_s = GIVE_UP_S if name in told else self._settings.clear_s + LONGEST_S
            if gone_s < kept_s:
                self._redis.hset(self._keys.alerts, name, alert.dump())
            else:
                self._redis.hdel(self._keys.alerts, name)
                self._redis.hdel(self._keys.told, *(f"{each}|{name}" for each in self._targets))

    def _known(self) -> dict[str, Alert]:
        stored = self._redis.hgetall(self._keys.alerts)
        return {str(name): Alert.load(str(text)) for name, text in stored.items()}

    def _beside(self, target: str, send: Callable[[str], None]) -> None:
        """Run `send(target)` in the target's thread, unless that is still sending."""
        running = self._sending.get(target)
        if running and running.is_alive():
            return
        thread = threading.Thread(target=send, args=(target,), name=f"alerts-{target}", daemon=True)
        self._sending[target] = thread
        thread.start()

    def _deliver(self, target: str) -> None:
        """Tell a target what it does not know, unless another process does."""
        try:
            claim = self._keys.telling(target)
            if self._redis.set(claim, "1", nx=True, ex=LONGEST_S):
                self._tell_news(target)
                self._redis.delete(claim)
        except ERRORS as error:
            logger.warning("alerts: %s; trying again", reason(error))

    def _tell_news(self, target: str) -> None:
        told = self._redis.hgetall(self._keys.told)
        news: dict[Status, dict[str, Told]] = {"firing": {}, "resolved": {}}
        for name, alert in self._known().items():
            since = told.get(f"{target}|{name}")
            if alert.over and since:
                news["resolved"][name] = Told(alert.since, alert.finding)
            elif not alert.over and since != str(alert.since):
                news["firing"][name] = Told(alert.since, alert.finding)
        for status, alerts in news.items():
            if alerts and sent(target, self._targets[target], status, list(alerts.values())):
                self._note_told(target, status, alerts)

    def _note_told(self, target: str, status: Status, alerts: dict[str, Told]) -> None:
        fields: Any = {f"{target}|{name}": str(alert.since) for name, alert in alerts.items()}
        if status == "firing":
            self._redis.hset(self._keys.told, mapping=fields)
        else:
            self._redis.hdel(self._keys.told, *fields)

    def _ledger_is_away(self, error: Exception) -> None:
        """Without Redis no process can be chosen to report it; the one that looked last does."""
        finding = ledger_trouble(self._connection, error)
        if not self._looked_last or not self._settings.wants(finding.name):
            return
        self._away = finding
        for name in self._targets.keys() - self._told_away:
            self._beside(name, self._tell_that_it_is_away)

    def _tell_that_it_is_away(self, target: str) -> None:
        finding = self._away
        if finding and sent(target, self._targets[target], "firing", [Told(0, finding)]):
            self._told_away.add(target)

    def _ledger_is_back(self) -> None:
        if not self._told_away and not any(each.is_alive() for each in self._sending.values()):
            self._away = None
        for name in tuple(self._told_away):
            self._beside(name, self._tell_that_it_is_back)

    def _tell_that_it_is_back(self, target: str) -> None:
        finding = self._away
        if finding and sent(target, self._targets[target], "resolved", [Told(0, finding)]):
            self._told_away.discard(target)
