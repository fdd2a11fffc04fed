"""The fleet as Prometheus sees it: one scrape target computed from Redis, whichever worker counted.
Only this file imports prometheus_client.

Labels are bounded by what the operator configured: lanes, links, states, error types, findings,
workers. Never a user.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from ..telemetry.metrics import Metrics, Tally
from ..telemetry.sketch import representative, upper
from .health import NAMES, Verdict
from .snapshot import FleetSnapshot

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
WINDOWS_S = {"1m": 60, "5m": 300, "1h": 3600}
STATES = ("submitted", "done", "failed", "cancelled", "expired", "dead")
HISTOGRAMS = {
    "queue": ("completions_queue_seconds", "From submission to the first start."),
    "provider": ("completions_provider_seconds", "One provider call on the wire."),
    "total": ("completions_job_seconds", "From submission to the outcome."),
}


def page(verdict: Verdict, metrics: Metrics) -> bytes:
    """The text of /metrics. Raises one of `store.ERRORS` if the ledger answered the verdict and
    then went away.
    """
    registry = CollectorRegistry()
    windows = (
        {name: metrics.window(seconds) for name, seconds in WINDOWS_S.items()}
        if verdict.vitals
        else {}
    )
    registry.register(_Page(verdict, metrics.totals() if verdict.vitals else Tally(), windows))
    return generate_latest(registry)


class _Page(Collector):
    def __init__(self, verdict: Verdict, totals: Tally, windows: dict[str, Tally]) -> None:
        self._verdict = verdict
        self._totals = totals
        self._windows = windows

    def collect(self) -> Iterator[Metric]:
        yield from _verdict(self._verdict)
        if self._verdict.vitals:
            yield from _gauges(self._verdict.vitals)
            yield from _counters(self._totals)
            yield from _histograms(self._totals)
            yield _percentiles(self._windows)


def _verdict(verdict: Verdict) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "completions_up",
        "1: the ledger answers and a worker is alive.",
        int(verdict.status != "down"),
    )
    findings = GaugeMetricFamily(
        "completions_finding", "How many findings of a name there are; 0: none.", labels=["name"]
    )
    for name in NAMES:
        findings.add_metric([name], sum(finding.name == name for finding in verdict.findings))
    yield findings


def _gauges(vitals: FleetSnapshot) -> Iterator[Metric]:
    plain = {
        "completions_workers": ("Workers alive.", vitals.workers),
        "completions_slots": ("Jobs that the fleet runs at once.", vitals.slots),
        "completions_jobs_open": ("Jobs released or running.", vitals.open),
        "completions_jobs_parked": ("Jobs that wait out a time.", vitals.parked),
        "completions_dead_letters": ("Dead letters kept.", vitals.dead),
        "completions_redis_seconds": ("Round trip to the ledger.", vitals.redis_ms / 1000),
        "completions_today_usd": ("Spent since midnight UTC.", vitals.spent / 1e6),
        "completions_today_maybe_billed_usd": (
            "Possibly billed beside that since midnight UTC.",
            vitals.maybe / 1e6,
        ),
    }
    for name, (text, value) in plain.items():
        yield GaugeMetricFamily(name, text, value)
    yield _by("completions_jobs_waiting", "Jobs waiting in line.", "lane", vitals.waiting)
    yield _by(
        "completions_oldest_wait_seconds", "Age of the first waiting job.", "lane", vitals.oldest_s
    )
    cooling = {each.link: each.left_s for each in vitals.cooling}
    yield _by(
        "completions_link_cooling_seconds", "How much longer a link is left alone.", "link", cooling
    )
    yield _by(
        "completions_clock_skew_seconds",
        "How far a worker's clock is ahead of the ledger's.",
        "worker",
        vitals.skew_s,
    )
    used = {each.limit: each.used / each.allowed for each in vitals.budgets if each.kind == "fleet"}
    yield _by("completions_fleet_budget_used_ratio", "Of the fleet's limit.", "limit", used)


def _by(name: str, text: str, label: str, values: dict[str, float] | dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for each, value in values.items():
        family.add_metric([each], value)
    return family


def _counters(totals: Tally) -> Iterator[Metric]:
    events = totals.events
    jobs = CounterMetricFamily(
        "completions_jobs", "Jobs submitted, and ended by state.", labels=["state"]
    )
    for state in STATES:
        jobs.add_metric([state], events[state])
    yield jobs
    errors = CounterMetricFamily(
        "completions_job_errors", "Jobs that ended in an error, by its type.", labels=["error"]
    )
    for name in sorted(events):
        if name.startswith("error:"):
            errors.add_metric([name.removeprefix("error:")], events[name])
    yield errors
    labels = ["lane", "provider", "model", "outcome"]
    calls = CounterMetricFamily(
        "completions_calls",
        "Provider calls by what came of them: ok, length or a fault.",
        labels=labels,
    )
    for series, count in sorted(totals.calls.items()):
        calls.add_metric(list(series), count)
    yield calls
    yield CounterMetricFamily("completions_cost_usd", "Dollars spent.", events["spent_micro"] / 1e6)
    # Gauges: a late reply takes a doubt back.
    yield GaugeMetricFamily(
        "completions_maybe_billed_usd",
        "Dollars possibly billed.",
        events["maybe_billed_micro"] / 1e6,
    )
    yield GaugeMetricFamily(
        "completions_maybe_billed_calls", "Calls possibly billed.", events["maybe_billed_attempts"]
    )
    unknown = "Calls on the wire when their worker died."
    yield CounterMetricFamily("completions_unknown_attempts", unknown, events["unknown_attempts"])
    yield CounterMetricFamily(
        "completions_dead_letters_made", "Jobs that failed for good.", events["dead_letters"]
    )


def _histograms(totals: Tally) -> Iterator[Metric]:
    families = {
        kind: HistogramMetricFamily(name, text, labels=["lane", "provider", "model"])
        for kind, (name, text) in HISTOGRAMS.items()
    }
    for (kind, *labels), buckets in sorted(totals.buckets.items()):
        counts = [
            (str(bound), sum(n for index, n in buckets.items() if upper(index) <= bound * 1000))
            for bound in BOUNDS_S
        ]
        total_s = sum(representative(index) * n for index, n in buckets.items()) / 1000
        families[kind].add_metric(
            labels, [*counts, ("+Inf", sum(buckets.values()))], sum_value=total_s
        )
    yield from families.values()


def _percentiles(windows: dict[str, Tally]) -> Metric:
    # Not "quantile": Prometheus keeps that label for summaries, and this is a gauge.
    labels = ["kind", "lane", "provider", "model", "window", "percentile"]
    family = GaugeMetricFamily(
        "completions_latency_seconds", "Percentiles of a sliding window, within 2 %.", labels=labels
    )
    for window, tally in windows.items():
        for row in tally.rows():
            for percentile, value_ms in (
                ("50", row.p50),
                ("95", row.p95),
                ("99", row.p99),
                ("100", row.max),
            ):
                family.add_metric(
                    [row.kind, row.lane, row.provider, row.model, window, percentile],
                    value_ms / 1000,
                )
    return family
