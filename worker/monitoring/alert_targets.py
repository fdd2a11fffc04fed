"""Where alerts are told, and in which words: the log, a webhook, Slack."""

import json
import logging
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, Literal, NamedTuple

from ..settings import AlertSettings
from .findings import Finding

logger = logging.getLogger(__name__)

POST_TIMEOUT_S = 10.0
LONGEST_S = 30
"""After so long a delivery (two posts at most) has ended, or its process has."""

Status = Literal["firing", "resolved"]


class Told(NamedTuple):
    """A finding, and since when it is there, in seconds of the server's clock."""

    since: int
    finding: Finding


Target = Callable[[Status, list[Told]], None]
"""Raises OSError, ValueError or HTTPException if the message is not accepted."""
Message = Callable[[Status, list[Told], str], dict[str, Any]]
"""(status, findings, fleet) -> the JSON to post. The fleet is the prefix of the ledger's keys."""


def targets(settings: AlertSettings, fleet: str) -> dict[str, Target]:
    """By name, as the ledger remembers who was told."""
    found: dict[str, Target] = {"log": _log}
    if settings.webhook:
        found["webhook"] = _post(settings.webhook.get_secret_value(), _webhook_message, fleet)
    if settings.slack:
        found["slack"] = _post(settings.slack.get_secret_value(), _slack_message, fleet)
    return found


def sent(name: str, target: Target, status: Status, findings: list[Told]) -> bool:
    """Whether the target took all of them in one message."""
    try:
        target(status, findings)
    except (OSError, ValueError, HTTPException) as error:
        # Never the URL: it holds the right to post.
        logger.warning("alerts: %s takes no message (%s), trying again", name, type(error).__name__)
        return False
    return True


def _log(status: Status, findings: list[Told]) -> None:
    for _, finding in findings:
        about = f" ({finding.about})" if finding.about else ""
        if status == "firing":
            logger.warning("ALERT firing: %s%s: %s", finding.name, about, finding.text)
        else:
            logger.info("ALERT resolved: %s%s: it was: %s", finding.name, about, finding.text)


def _post(url: str, message: Message, fleet: str) -> Target:
    def post(status: Status, findings: list[Told]) -> None:
        body = json.dumps(message(status, findings, fleet)).encode()
        headers = {"Content-Type": "application/json"}
        # The scheme was checked by the settings.
        request = urllib.request.Request(url, body, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=POST_TIMEOUT_S):  # noqa: S310
            pass

    return post


def _webhook_message(status: Status, findings: list[Told], fleet: str) -> dict[str, Any]:
    listed = [{"since": since, **finding._asdict()} for since, finding in findings]
    return {"status": status, "fleet": fleet, "findings": listed}


def _slack_message(status: Status, findings: list[Told], fleet: str) -> dict[str, Any]:
    sign, was = ":rotating_light:", ""
    if status == "resolved":
        sign, was = ":white_check_mark:", "it was: "
    lines = [
        f"{sign} [{fleet}] {status}: *{finding.name}* {was}{finding.text}"
        for _, finding in findings
    ]
    return {"text": "\n".join(lines)}
