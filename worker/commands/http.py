"""`completions http`: health and metrics over HTTP."""

import click

from ..runtime import observer, operator, watch
from ..settings import LogSettings, SettingsError, load
from ..telemetry.logs import configure


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
    try:
        configure(load(LogSettings).level)
        health, watching = observer(), watch()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    try:
        Site(health, operator().metrics).serve(host, port)
    finally:
        watching.close()
