"""The producer's settings: where Redis is. Read on the first send, never at import."""

import os
import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from .contract.names import COMPLETE, DEFAULT_PREFIX, FleetNames
from .contract.requests import MAX_REQUEST_BYTES
from .contract.user_ids import Form, forms_of
from .redis_url import RedisUrl


class SettingsError(ValueError):
    """Names each wrong variable with the reason, and never a value."""


def _readable(url: str) -> str:
    RedisUrl.parse(url)
    return url


def _forms(value: Any) -> Any:
    return forms_of(value) if isinstance(value, str) else value


HOSTS = re.compile(
    r"(amqps?|pyamqp|rpc|sqs|memory|filesystem|file|sqla|sqlalchemy|db|database|cache|kafka"
    r"|memcached|mongodb|elasticsearch|cassandra|dynamodb|django-db|django-cache|disabled)\b"
)
"""Brokers and result backends of Celery that are none of ours."""

LEAST_CONNECTIONS = 7
"""Of a producer, if all have one server. A worker has 11."""
TIMEOUT_S = 0.6
"""Per socket operation: to connect and to read one reply take less than the two seconds that
`Unavailable` promises.
"""
PUBLISHERS = 2
"""Connections that send ids to the broker; each is in use for a millisecond."""
BESIDE = 2
"""To the ledger: one for large texts, one for notices."""
READERS = 2
"""To the result backend: the subscription, and one to ask."""

Url = Annotated[str, AfterValidator(_readable)]
"""A text that `RedisUrl.parse` accepts. It may hold a password, so no repr shows it."""


class ProducerSettings(BaseModel):
    """`REDIS_URL` is the default for the other three. A worker reads them by pydantic-settings;
    here that would be much of what importing `complete` takes.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    url: Url = Field("redis://127.0.0.1:6379/0", validation_alias="REDIS_URL", repr=False)
    broker_url: Url | None = Field(None, validation_alias="CELERY_BROKER_URL", repr=False)
    backend_url: Url | None = Field(None, validation_alias="CELERY_RESULT_BACKEND", repr=False)
    ledger_url: Url | None = Field(None, validation_alias="LEDGER_URL", repr=False)
    prefix: Annotated[str, Field(max_length=32, pattern=r"^[\w.-]+$")] = Field(
        DEFAULT_PREFIX, validation_alias="LEDGER_PREFIX"
    )
    """Of everything that the fleet calls its own, at each of the servers."""
    max_connections: Annotated[int, Field(ge=LEAST_CONNECTIONS, le=1000)] = Field(
        14, validation_alias="REDIS_MAX_CONNECTIONS"
    )
    """Of one process to each of the servers."""
    max_request_bytes: Annotated[int, Field(ge=1_000, le=MAX_REQUEST_BYTES)] = Field(
        MAX_REQUEST_BYTES, validation_alias="LLM_MAX_REQUEST_BYTES"
    )
    """Of one request as JSON, pictures and files in it included."""
    user_ids: Annotated[frozenset[Form], BeforeValidator(_forms)] = Field(
        frozenset(), validation_alias="LLM_USER_IDS"
    )
    """How ids that mean one user are spelt alike, wherever a user is named."""

    @model_validator(mode="before")
    @classmethod
    def _not_the_hosts(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Where REDIS_URL says where we are, Celery's variables may be the host's, of its RabbitMQ
        for instance.
        """
        if not {"REDIS_URL", "url"} & given.keys():
            return given
        variables = ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND")
        hosts = {name for name in variables if HOSTS.match(str(given.get(name)))}
        return {name: value for name, value in given.items() if name not in hosts}

    @property
    def broker(self) -> str:
        return self.broker_url or self.url

    @property
    def backend(self) -> str:
        return self.backend_url or self.url

    @property
    def ledger(self) -> str:
        return self.ledger_url or self.url

    @property
    def is_one_server(self) -> bool:
        """Whether the ledger's server is the broker, too: both have one URL."""
        return self.ledger == self.broker

    @property
    def names(self) -> FleetNames:
        return FleetNames.of(self.prefix)

    @property
    def ledger_connections(self) -> int:
        """What of a producer's connections is left for the ledger, if all have one server."""
        return self.max_connections - PUBLISHERS - READERS - BESIDE

    def celery(self, timeout_s: float) -> dict[str, Any]:
        """Celery's settings of broker and result backend, except the backend's URL.

        `timeout_s`: of each operation on a connection to a Sentinel.
        """
        broker, backend = RedisUrl.parse(self.broker), RedisUrl.parse(self.backend)
        names = self.names
        return {
            # `broker_url` alone is not enough: Celery prefers CELERY_BROKER_URL as it is written.
            **dict.fromkeys(("broker_url", "broker_read_url", "broker_write_url"), broker.url),
            "broker_use_ssl": broker.ssl,
            "broker_transport_options": broker.transport_options(timeout_s) | names.unacknowledged,
            "redis_backend_use_ssl": backend.ssl,
            "result_backend_transport_options": backend.transport_options(timeout_s)
            | {"global_keyprefix": names.root},
            "task_routes": {COMPLETE: {"queue": names.queues["interactive"]}},
            **names.channels,
        }


def load(**overrides: Any) -> ProducerSettings:
    """The environment's settings, with `overrides` by field name (None: not overridden).

    With a `url`, CELERY_BROKER_URL and CELERY_RESULT_BACKEND are the host's. Raises
    `SettingsError`.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    if "url" in given:
        given = {"broker_url": given["url"], "backend_url": given["url"]} | given
    known = ProducerSettings.model_fields
    if unknown := overrides.keys() - known.keys():
        raise SettingsError(
            f"settings of the producer: {min(unknown)} is none. Fix: one of {', '.join(known)}"
        )
    try:
        return ProducerSettings(**_variables(set(given)) | given)
    except ValidationError as error:
        wrong = "; ".join(
            f"{item['loc'][0]}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_input=False)
        )
        raise SettingsError(f"settings of the producer: {wrong}") from None


def _variables(without: set[str]) -> dict[str, str]:
    """Those of the environment, in capitals or not, but not those of some fields. Empty ones count
    as missing.

    By their own names alone: a variable with the name of a field, like URL, may mean something
    else.
    """
    given = {name.upper(): value for name, value in os.environ.items() if value}
    fields = ProducerSettings.model_fields.items()
    variables = {str(field.validation_alias) for name, field in fields if name not in without}
    return {name: given[name] for name in variables & given.keys()}
