"""Celery's own clients of broker and results, made as a worker makes them, for `check`."""

import click

from producer.redis_trouble import described

from ..celery import create_app
from ..settings import RedisSettings

NO_RETRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0}


def try_clients(settings: RedisSettings, offline: bool) -> None:
    """Exit code 1, with the reason, if one cannot be made or does not reach its server.

    `offline`: they are made and not used.
    """
    app = create_app()
    url, variable = settings.broker, "CELERY_BROKER_URL"
    try:
        with app.connection_for_write() as broker:
            if not offline:
                broker.ensure_connection(**NO_RETRY)
        url, variable = settings.backend, "CELERY_RESULT_BACKEND"
        results = app.backend.client
        if not offline:
            results.ping()
    except Exception as error:  # noqa: BLE001 -- kombu's, redis-py's, or what Celery makes of them
        raise click.ClickException(described(url, error, f"REDIS_URL and {variable}")) from None
    finally:
        app.close()
    if not offline:
        click.echo("broker and results: answer")
