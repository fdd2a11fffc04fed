"""Alerts: one message when a finding of health begins, one when it is over, for the whole fleet.

Any number of processes run this; in each period one of them checks. What is firing, and which
targets know it, is in one Redis hash. A message is noted after it was sent, so that a death in
between repeats it and never loses it. Redis down: the process that checked last reports that, by
itself.
"""

import json
import logging
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from http.client import HTTPException
from typing import Any, Literal

from producer.redis_trouble import reason

from ..ledger.connection import ERRORS, LedgerConnection
from ..settings import AlertSettings
from .findings import Finding
from .health import Health, ledger_trouble

logger = logging.getLogger(__name__)

POST_TIMEOUT_S = 5.0
CHECK_S = 60
"""How long a check may take before another process begins one."""
GIVE_UP_S = 3600.0
"""How long the delivery of a recovery notice is tried."""

Status = Literal["firing", "resolved"]


@dataclass
class Alert:
    """A finding as the fleet remembers it; times in seconds of the server's clock."""

    finding: Finding
    since: int
    seen: int
    notified: list[str] = field(default_factory=list)
    """Targets that know it is firing."""

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "Alert":
        stored = json.loads(text)
        return cls(Finding(*stored.pop("finding")), **stored)


class Alerts:
    """Checks every period in a thread of its own, from `start` to `close`."""

    def __init__(
        self, connection: LedgerConnection, health: Health, settings: AlertSettings
    ) -> None:
        self._connection = connection
        self._redis = connection.redis
        self._keys = connection.keys
        self._health = health
        self._settings = settings
        self._targets = _targets(settings, connection.keys.prefix)
        self._checked_last = False
        self._away: Alert | None = None
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
        """Check once, unless another process has in this period."""
        try:
            begun = self._redis.set(self._keys.watch, "1", nx=True, ex=CHECK_S)
        except ERRORS as error:
            self._ledger_is_away(error)
            return
        self._checked_last = bool(begun)
        self._ledger_is_back()
        if not begun:
            return
        verdict = self._health.check()
        if verdict.snapshot is None:
            return
        now = int(self._redis.time()[0])
        wanted = [finding for finding in verdict.findings if self._settings.wants(finding.name)]
        self._update({f"{finding.name}|{finding.about}": finding for finding in wanted}, now)
        self._redis.pexpire(self._keys.watch, int(self._settings.period_s * 900))

    def _run(self) -> None:
        while not self._stop.wait(self._settings.period_s):
            try:
                self.check()
            except Exception as error:
                expected = isinstance(error, ERRORS)
                logger.warning("alerts: %s; trying again", reason(error), exc_info=not expected)

    def _update(self, findings: dict[str, Finding], now: int) -> None:
        """Send what is new among `findings` and what is no longer there."""
        stored = self._redis.hgetall(self._keys.alerts)
        known = {str(name): Alert.load(str(text)) for name, text in stored.items()}
        for name, finding in findings.items():
            alert = known.get(name) or Alert(finding, since=now, seen=now)
            alert.finding = finding
            alert.seen = now
            alert.notified += [
                target
                for target in self._targets
                if target not in alert.notified and self._send(target, "firing", alert)
            ]
            self._redis.hset(self._keys.alerts, name, alert.dump())
        for name in known.keys() - findings.keys():
            self._resolve(name, known[name], now)

    def _resolve(self, name: str, alert: Alert, now: int) -> None:
        """Send that the finding is over once it has been gone for `clear_s`."""
        gone_s = now - alert.seen
        if gone_s < self._settings.clear_s:
            return
        alert.notified = [
            target
            for target in alert.notified
            if target in self._targets and not self._send(target, "resolved", alert)
        ]
        if alert.notified and gone_s < GIVE_UP_S:
            self._redis.hset(self._keys.alerts, name, alert.dump())
        else:
            self._redis.hdel(self._keys.alerts, name)

    def _ledger_is_away(self, error: Exception) -> None:
        """Without Redis no process can be chosen to report it; the one that checked last does."""
        finding = ledger_trouble(self._connection, error)
        if not self._checked_last or self._away or not self._settings.wants(finding.name):
            return
        alert = Alert(finding, since=0, seen=0)
        alert.notified = [each for each in self._targets if self._send(each, "firing", alert)]
        self._away = alert

    def _ledger_is_back(self) -> None:
        if self._away is None:
            return
        for target in self._away.notified:
            self._send(target, "resolved", self._away)
        self._away = None

    def _send(self, target: str, status: Status, alert: Alert) -> bool:
        """Whether the target took the message."""
        try:
            self._targets[target](status, alert)
        except (OSError, ValueError, HTTPException) as error:
            # Never the URL: it holds the right to post.
            logger.warning(
                "alerts: %s takes no message (%s), trying again", target, type(error).__name__
            )
            return False
        return True


Target = Callable[[Status, Alert], None]
Message = Callable[[Status, Alert, str], dict[str, Any]]
"""(status, alert, fleet) -> the JSON to post. The fleet is the prefix of the ledger's keys."""


def _targets(settings: AlertSettings, fleet: str) -> dict[str, Target]:
    targets: dict[str, Target] = {"log": _log}
    if settings.webhook:
        targets["webhook"] = _post(settings.webhook.get_secret_value(), _webhook_message, fleet)
    if settings.slack:
        targets["slack"] = _post(settings.slack.get_secret_value(), _slack_message, fleet)
    return targets


def _log(status: Status, alert: Alert) -> None:
    finding = alert.finding
    about = f" ({finding.about})" if finding.about else ""
    if status == "firing":
        logger.warning("ALERT firing: %s%s: %s", finding.name, about, finding.text)
    else:
        logger.info("ALERT resolved: %s%s: it was: %s", finding.name, about, finding.text)


def _post(url: str, message: Message, fleet: str) -> Target:
    """Posts JSON. Raises OSError, ValueError or HTTPException if that is not accepted."""

    def post(status: Status, alert: Alert) -> None:
        body = json.dumps(message(status, alert, fleet)).encode()
        headers = {"Content-Type": "application/json"}
        # The scheme was checked by the settings.
        request = urllib.request.Request(url, body, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=POST_TIMEOUT_S):  # noqa: S310
            pass

    return post


def _webhook_message(status: Status, alert: Alert, fleet: str) -> dict[str, Any]:
    return {"status": status, "fleet": fleet, "since": alert.since, **alert.finding._asdict()}


def _slack_message(status: Status, alert: Alert, fleet: str) -> dict[str, Any]:
    finding = alert.finding
    if status == "firing":
        text = f":rotating_light: [{fleet}] firing: *{finding.name}* {finding.text}"
    else:
        text = f":white_check_mark: [{fleet}] resolved: *{finding.name}* it was: {finding.text}"
    return {"text": text}
