"""What whoever operates a fleet may be told: when something counts as wrong, who hears of it, what
is logged and audited.
"""

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from producer.redis_url import RedisUrl

from ..sealing import Keyring, Seal
from .base import Slice
from .sections import Dollars, Positive, Seconds

Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class HealthSettings(Slice):
    """From when on something counts as wrong, for `completions health` and for alerts."""

    window_s: Annotated[int, Field(ge=10, le=3600)] = Field(
        300, validation_alias="LLM_HEALTH_WINDOW_SECONDS"
    )
    least: Positive = Field(10, validation_alias="LLM_HEALTH_LEAST")
    """Jobs, or answers, in the window below which no rate and no percentile is judged."""
    p95_s: Seconds = Field(5.0, validation_alias="LLM_HEALTH_P95_SECONDS")
    error_rate: Share = Field(0.05, validation_alias="LLM_HEALTH_ERROR_RATE")
    truncation_rate: Share = Field(0.1, validation_alias="LLM_HEALTH_TRUNCATION_RATE")
    queue_s: Seconds = Field(60.0, validation_alias="LLM_HEALTH_QUEUE_SECONDS")
    redis_ms: Seconds = Field(50.0, validation_alias="LLM_HEALTH_REDIS_MS")
    skew_s: Seconds = Field(2.0, validation_alias="LLM_HEALTH_SKEW_SECONDS")
    budget: Share = Field(0.9, validation_alias="LLM_HEALTH_BUDGET")
    usd_per_day: Dollars | None = Field(None, validation_alias="LLM_ALERT_USD_PER_DAY")
    """Of the whole fleet and UTC day; a warning, where `LLM_USD_PER_DAY` is a limit."""


class AlertSettings(Slice):
    """Who is told what health finds. URLs are secrets: whoever knows one may post there."""

    names: Annotated[frozenset[str] | None, NoDecode] = Field(None, validation_alias="LLM_ALERTS")
    """Findings to tell of; None: all, empty: none."""
    webhook: SecretStr | None = Field(None, validation_alias="LLM_ALERT_WEBHOOK")
    slack: SecretStr | None = Field(None, validation_alias="LLM_ALERT_SLACK")
    period_s: Seconds = Field(15.0, validation_alias="LLM_ALERT_PERIOD_SECONDS")
    clear_s: Annotated[float, Field(ge=0)] = Field(60.0, validation_alias="LLM_ALERT_CLEAR_SECONDS")
    """How long a finding must be gone before it counts as over."""

    @field_validator("names", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        listed = frozenset(name.strip() for name in value.split(",") if name.strip())
        return frozenset() if listed == {"none"} else listed

    @field_validator("webhook", "slack")
    @classmethod
    def _is_http(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not _postable(value.get_secret_value()):
            raise ValueError("must be like https://host/path, without a login and without blanks")
        return value

    def wants(self, name: str) -> bool:
        """Whether findings of that name are told."""
        return self.names is None or name in self.names


class AuditSettings(Slice):
    """Whether prompts and answers are kept, sealed, for whoever must be able to prove what was
    said.
    """

    url: SecretStr | None = Field(None, validation_alias="LLM_AUDIT_URL")
    """The Redis server they are kept on; None: they are not."""
    key: str | None = Field(None, validation_alias="LLM_AUDIT_KEY")
    """The public key they are sealed with; needed by workers, not by readers."""
    private_keys: SecretStr | None = Field(None, validation_alias="LLM_AUDIT_PRIVATE_KEYS")
    """For `completions audit` only: private keys that open them, comma separated. No worker needs
    one.
    """
    days: Positive = Field(90, validation_alias="LLM_AUDIT_DAYS")

    @field_validator("url")
    @classmethod
    def _is_a_place(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            RedisUrl.parse(value.get_secret_value())
        return value

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, value: str | None) -> str | None:
        if value is not None:
            Seal(value)
        return value

    @property
    def keyring(self) -> Keyring:
        """Raises `ValueError` for what is no key."""
        text = self.private_keys.get_secret_value() if self.private_keys else ""
        return Keyring([each.strip() for each in text.split(",") if each.strip()])


def _postable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and "@" not in parts.netloc
            and (url.isascii() and url.isprintable() and " " not in url)
        )
    except ValueError:  # of the port
        return False


class LogSettings(Slice):
    level: Annotated[str, Field(pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")] = Field(
        "INFO", validation_alias="LLM_LOG_LEVEL"
    )
