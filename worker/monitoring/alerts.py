"""Tells people what health finds: once when it begins, once when it is over, for the whole fleet.

What is firing and who was told is in one Redis hash; whoever holds the watch looks. A message is
noted after it was sent, so that a death in between repeats it and never loses it. Redis down: the
process that looked last says so, by itself.
"""

import json
import logging
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from http.client import HTTPException
from typing import Any, Literal

from ..ledger.connection import ERRORS, Keys, Redis
from ..settings import AlertSettings
from .health import Finding, Health

logger = logging.getLogger(__name__)

POST_S = 5.0
WATCH_S = 60
"""How long a watch may take before somebody else begins one."""
GIVE_UP_S = 3600.0
"""How long a recovery notice is tried to be delivered."""

Status = Literal["firing", "resolved"]


@dataclass
class Alert:
    """A finding as the fleet remembers it; times in seconds of the server's clock."""

    finding: Finding
    since: int
    seen: int
    told: list[str] = field(default_factory=list)
    """Targets that know it is firing."""

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "Alert":
        stored = json.loads(text)
        return cls(Finding(*stored.pop("finding")), **stored)


class Alerts:
    """`run` in a thread of any number of processes. `fleet`: the ledger's prefix, which messages
    carry.
    """

    def __init__(self, redis: Redis, keys: Keys, health: Health, settings: AlertSettings) -> None:
        self._redis = redis
        self._keys = keys
        self._health = health
        self._settings = settings
        self._targets: dict[str, Callable[[Status, Alert], None]] = {"log": _log}
        for name, url in (("webhook", settings.webhook), ("slack", settings.slack)):
            if url:
                self._targets[name] = _Post(url.get_secret_value(), _SHAPES[name], keys.prefix)
        self._looked = False
        self._away: Alert | None = None

    def run(self, stop: threading.Event) -> None:
        """Look every period until `stop` is set."""
        while not stop.wait(self._settings.period_s):
            try:
                self.look()
            except Exception as error:
                logger.warning(
                    "alerts: %s, trying again",
                    type(error).__name__,
                    exc_info=not isinstance(error, ERRORS),
                )

    def look(self) -> None:
        """One look, unless somebody else has looked in this period."""
        try:
            self._looked = bool(self._redis.set(self._keys.watch, "1", nx=True, ex=WATCH_S))
        except ERRORS:
            self._ledger_away()
            return
        self._ledger_back()
        if not self._looked:
            return
        verdict = self._health.check()
        if verdict.vitals is None:
            return
        now = int(self._redis.time()[0])
        wanted = [finding for finding in verdict.findings if self._settings.wants(finding.name)]
        self._fire({f"{finding.name}|{finding.about}": finding for finding in wanted}, now)
        self._redis.pexpire(self._keys.watch, int(self._settings.period_s * 900))

    def _fire(self, findings: dict[str, Finding], now: int) -> None:
        stored = self._redis.hgetall(self._keys.alerts)
        known = {str(name): Alert.load(str(text)) for name, text in stored.items()}
        for name, finding in findings.items():
            alert = known.get(name) or Alert(finding, since=now, seen=now)
            alert.finding, alert.seen = finding, now
            alert.told += [
                each
                for each in self._targets
                if each not in alert.told and self._tell(each, "firing", alert)
            ]
            self._redis.hset(self._keys.alerts, name, alert.dump())
        for name in known.keys() - findings.keys():
            self._over(name, known[name], now)

    def _over(self, name: str, alert: Alert, now: int) -> None:
        if now - alert.seen < self._settings.clear_s:
            return
        alert.told = [
            each
            for each in alert.told
            if each in self._targets and not self._tell(each, "resolved", alert)
        ]
        if alert.told and now - alert.seen < GIVE_UP_S:
            self._redis.hset(self._keys.alerts, name, alert.dump())
        else:
            self._redis.hdel(self._keys.alerts, name)

    def _ledger_away(self) -> None:
        """Nobody can agree on who says so without Redis; the one that looked last does."""
        if self._looked and self._away is None and self._settings.wants("redis_away"):
            finding = Finding(
                "redis_away",
                "",
                "down",
                "the ledger does not answer. Fix: check Redis and LEDGER_URL",
            )
            self._away = Alert(finding, since=0, seen=0)
            self._away.told = [
                each for each in self._targets if self._tell(each, "firing", self._away)
            ]

    def _ledger_back(self) -> None:
        away, self._away = self._away, None
        for each in away.told if away else []:
            self._tell(each, "resolved", away)  # type: ignore[arg-type]

    def _tell(self, target: str, status: Status, alert: Alert) -> bool:
        try:
            self._targets[target](status, alert)
        except (OSError, ValueError, HTTPException) as error:
            # Never the URL: it holds the right to post.
            logger.warning(
                "alerts: %s takes no message (%s), trying again", target, type(error).__name__
            )
            return False
        return True


def _log(status: Status, alert: Alert) -> None:
    finding = alert.finding
    level = logging.WARNING if status == "firing" else logging.INFO
    about = f" ({finding.about})" if finding.about else ""
    was = "it was: " if status == "resolved" else ""
    logger.log(level, "ALERT %s: %s%s: %s%s", status, finding.name, about, was, finding.text)


class _Post:
    """Posts JSON to a URL. Raises OSError, ValueError or HTTPException if that is not accepted."""

    def __init__(
        self, url: str, shape: Callable[[Status, Alert, str], dict[str, Any]], fleet: str
    ) -> None:
        self._url = url
        self._shape = shape
        self._fleet = fleet

    def __call__(self, status: Status, alert: Alert) -> None:
        body = json.dumps(self._shape(status, alert, self._fleet)).encode()
        # The scheme was checked by the settings.
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=POST_S):  # noqa: S310
            pass


def _webhook(status: Status, alert: Alert, fleet: str) -> dict[str, Any]:
    return {"status": status, "fleet": fleet, "since": alert.since, **alert.finding._asdict()}


def _slack(status: Status, alert: Alert, fleet: str) -> dict[str, Any]:
    sign = {"firing": ":rotating_light:", "resolved": ":white_check_mark:"}[status]
    was = "it was: " if status == "resolved" else ""
    return {"text": f"{sign} [{fleet}] {status}: *{alert.finding.name}* {was}{alert.finding.text}"}


_SHAPES = {"webhook": _webhook, "slack": _slack}


class Watch:
    """The thread that looks."""

    def __init__(self, alerts: Alerts) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=alerts.run, args=(self._stop,), name="alerts", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=1.0)
