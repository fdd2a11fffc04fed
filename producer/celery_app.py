"""The producer's Celery app. It never becomes the host's current app."""

from typing import Any
from weakref import WeakSet

from celery import Celery
from celery.loaders.app import AppLoader

from . import forks
from .current import current_settings
from .group_results import mixed_group
from .redis_url import RedisUrl
from .settings import PUBLISHERS, READERS, TIMEOUT_S, SettingsError

_apps: WeakSet["_App"] = WeakSet()


def new_app() -> Celery:
    """Reads its configuration, through `_configuration`, when it is first used.

    From nowhere else: CELERY_CONFIG_MODULE, CELERY_LOADER and Django are for the host's own app.
    """
    app = _App("completions-producer", loader=_Loader, fixups=[], set_as_current=False)
    app.add_defaults(_configuration)
    app.GroupResult = mixed_group(app.GroupResult)
    _apps.add(app)
    return app


BACKENDS = {
    "redis": f"{__package__}.results:ResultBackend",
    "rediss": f"{__package__}.results:ResultBackend",
    "sentinel": f"{__package__}.results:SentinelResultBackend",
}
"""Scheme of a URL -> class, for Celery's loader."""


class _Loader(AppLoader):  # type: ignore[misc]
    override_backends = BACKENDS

    def read_configuration(self, env: str = "") -> dict[str, Any]:
        return {}


class _App(Celery):  # type: ignore[misc]
    def _connection(self, url: str, **options: Any) -> Any:
        """Celery prefers CELERY_BROKER_URL, ..._READ_URL and ..._WRITE_URL as they are written."""
        return super()._connection(RedisUrl.parse(current_settings().broker).url, **options)

    @property
    def backend_cls(self) -> str:
        """The result backend's URL.

        Celery looks here before it looks at CELERY_RESULT_BACKEND, which it would use as it is
        written.
        """
        try:
            return RedisUrl.parse(current_settings().backend).url
        except SettingsError:
            return "disabled"

    def _get_backend(self) -> Any:
        """One, and with one client, whichever thread or greenlet is the first to ask."""
        made = super()._get_backend()
        _ = getattr(made, "client", None)
        return self.__dict__.setdefault("_one_backend", made)

    @property
    def _publishers(self) -> Any:
        if "_pools" not in self.__dict__:
            from .channels import publishers

            made = publishers(self.connection_for_write(), PUBLISHERS)
            self.__dict__.setdefault("_pools", made)
        return self.__dict__["_pools"]

    @property
    def pool(self) -> Any:
        return self._publishers[0]

    @property
    def producer_pool(self) -> Any:
        return self._publishers[1]


@forks.in_each_child
def _without_publishers() -> None:
    """Those in use when the parent forked would never come back, nor a lock of Celery's events."""
    for each in list(_apps):
        each.__dict__.pop("_pools", None)
        each.__dict__.pop("amqp", None)


def _configuration() -> dict[str, Any]:
    try:
        redis_settings = current_settings().celery(TIMEOUT_S)
    except SettingsError:  # the first send says what is wrong
        redis_settings = {"broker_transport_options": {}, "result_backend_transport_options": {}}
    return {
        **redis_settings,
        "accept_content": ["json"],
        "result_extended": False,
        "result_backend_thread_safe": True,
        "result_backend_transport_options": {
            **redis_settings["result_backend_transport_options"],
            "retry_policy": {"max_retries": 1},  # `Job.get` goes on, as long as its caller waits
        },
        "redis_socket_timeout": 5,
        "redis_socket_connect_timeout": 3,
        "redis_max_connections": READERS,
        "broker_pool_limit": PUBLISHERS,
        "broker_pool_acquire_timeout": TIMEOUT_S,
        # One try: a job whose publication fails is in the ledger, and a steward publishes it.
        "broker_transport_options": {
            "socket_timeout": TIMEOUT_S,
            "socket_connect_timeout": TIMEOUT_S,
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0,
            "connect_retries_timeout": TIMEOUT_S,
            **redis_settings["broker_transport_options"],
        },
    }
