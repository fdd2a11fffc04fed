"""The producer's settings: where Redis is, and nothing else. Read on the first send, never at import."""

from typing import Annotated, Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProducerSettings(BaseSettings):
    """`REDIS_URL` is the default for the other three."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True, hide_input_in_errors=True
    )

    url: str = Field("redis://127.0.0.1:6379/0", validation_alias="REDIS_URL")
    broker_url: str | None = Field(None, validation_alias="CELERY_BROKER_URL")
    backend_url: str | None = Field(None, validation_alias="CELERY_RESULT_BACKEND")
    ledger_url: str | None = Field(None, validation_alias="LEDGER_URL")
    prefix: Annotated[str, Field(pattern=r"^[\w.-]{1,32}$")] = Field("cc", validation_alias="LEDGER_PREFIX")

    @property
    def broker(self) -> str:
        return self.broker_url or self.url

    @property
    def backend(self) -> str:
        return self.backend_url or self.url

    @property
    def ledger(self) -> str:
        return self.ledger_url or self.url


def load(**overrides: Any) -> ProducerSettings:
    """The environment, with `overrides` by field name. Raises `ValueError` naming each wrong variable."""
    try:
        return ProducerSettings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        wrong = "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors(include_input=False))
        raise ValueError(f"settings of the producer: {wrong}") from None
