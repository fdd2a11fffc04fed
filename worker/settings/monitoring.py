"""The slices of the settings of logs, health, alerts and the audit log."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import NoDecode

from producer.redis_url import RedisUrl

from ..sealing import Keyring, Seal
from .base import (
    TEN_YEARS_S,
    Days,
    Dollars,
    Positive,
    Seconds,
    Share,
    Slice,
    variable,
    written_as,
)


class LogSettings(Slice):
    """The worker's JSON lines."""

    level: Annotated[str, Field(pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")] = variable(
        "LLM_LOG_LEVEL", "INFO"
    )


class HealthSettings(Slice):
    """From when on something counts as wrong, for `completions health` and for alerts."""

    window_s: Annotated[int, Field(ge=10, le=3600)] = variable("LLM_HEALTH_WINDOW_SECONDS", 300)
    least: Positive = variable("LLM_HEALTH_LEAST", 10)
    """Jobs, or answers, in the window below which no rate and no percentile is judged."""
    p95_s: Seconds = variable("LLM_HEALTH_P95_SECONDS", 5.0)
    error_rate: Share = variable("LLM_HEALTH_ERROR_RATE", 0.05)
    truncation_rate: Share = variable("LLM_HEALTH_TRUNCATION_RATE", 0.1)
    queue_s: Seconds = variable("LLM_HEALTH_QUEUE_SECONDS", 60.0)
    redis_ms: Seconds = variable("LLM_HEALTH_REDIS_MS", 50.0)
    skew_s: Seconds = variable("LLM_HEALTH_SKEW_SECONDS", 2.0)
    budget: Share = variable("LLM_HEALTH_BUDGET", 0.9)
    usd_per_day: Dollars | None = variable("LLM_ALERT_USD_PER_DAY", None)
    """Of the whole fleet and UTC day; a warning, where `LLM_USD_PER_DAY` is a limit."""


def _finding_names(text: str) -> frozenset[str]:
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    if names == {"none"}:
        return frozenset()
    return names


def _can_be_posted_to(value: SecretStr | None) -> SecretStr | None:
    url = value.get_secret_value() if value else ""
    if url and (not is_http_url(url) or "@" in urlsplit(url).netloc):
        raise ValueError("must be like https://host/path, without a login and without blanks")
    return value


def is_http_url(url: str) -> bool:
    """A login in it is allowed."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0


PostUrl = Annotated[SecretStr | None, AfterValidator(_can_be_posted_to)]
"""A secret: to know it is to be allowed to post there."""


class AlertSettings(Slice):
    """Who hears of which findings."""

    names: Annotated[frozenset[str] | None, NoDecode, written_as(_finding_names)] = variable(
        "LLM_ALERTS", None
    )
    """Findings that are sent; None: all, empty: none."""
    webhook: PostUrl = variable("LLM_ALERT_WEBHOOK", None)
    slack: PostUrl = variable("LLM_ALERT_SLACK", None)
    period_s: Seconds = variable("LLM_ALERT_PERIOD_SECONDS", 15.0)
    clear_s: Annotated[float, Field(ge=0, le=TEN_YEARS_S, allow_inf_nan=False)] = variable(
        "LLM_ALERT_CLEAR_SECONDS", 60.0
    )
    """How long a finding must be gone before it counts as over."""

    def wants(self, name: str) -> bool:
        """Whether findings of that name are sent."""
        return self.names is None or name in self.names


def _is_redis_url(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        RedisUrl.parse(value.get_secret_value())
    return value


def _is_public_key(value: str | None) -> str | None:
    if value is not None:
        Seal(value)
    return value


class AuditSettings(Slice):
    """Whether prompts and answers are kept, sealed, to prove later what was said."""

    url: Annotated[SecretStr | None, AfterValidator(_is_redis_url)] = variable(
        "LLM_AUDIT_URL", None
    )
    """The Redis server they are kept on; None: they are not kept."""
    key: Annotated[str | None, AfterValidator(_is_public_key)] = variable("LLM_AUDIT_KEY", None)
    """The public key they are sealed with; needed by workers, not by readers."""
    private_keys: SecretStr | None = variable("LLM_AUDIT_PRIVATE_KEYS", None)
    """For `completions audit` only: the private keys that open them, comma separated. No worker
    needs one.
    """
    days: Days = variable("LLM_AUDIT_DAYS", 90)

    @property
    def keyring(self) -> Keyring:
        """Raises `ValueError` for what is no key."""
        if self.private_keys is None:
            return Keyring([])
        keys = self.private_keys.get_secret_value().split(",")
        return Keyring([key.strip() for key in keys if key.strip()])
