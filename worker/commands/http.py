"""`completions http`: health and metrics over HTTP."""

from contextlib import closing

import click

from ..monitoring.alerts import Alerts
from ..settings import LogSettings, load
from ..startup_checks import checked_alerts
from ..telemetry.logs import configure
from .servers import fleet_health, ledger_connection


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where to listen. There is no login: keep it inside.",
)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
def http(host: str, port: int) -> None:
    """Serve /health, /ready, /live and /metrics (Prometheus) until SIGTERM; look for alerts
    meanwhile.

    \b
    /live     200 while this process answers
    /ready    200 if the ledger answers and a worker is alive, else 503
    /health   {status, reasons, latency}; 503 if down
    /metrics  the whole fleet, computed from Redis: one scrape target

    \b
    completions http --port 8000
    """
    try:
        from ..monitoring.http import Site
    except ImportError as error:
        raise click.ClickException(
            f"this needs the extra http: pip install 'celery-completions[http]' ({error})"
        ) from None
    configure(load(LogSettings).level)
    with ledger_connection() as connection:
        health = fleet_health(connection)
        with closing(Alerts(connection, health, checked_alerts())) as alerts:
            alerts.start()
            Site(connection, health).serve(host, port)
