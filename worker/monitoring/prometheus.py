"""The fleet as Prometheus sees it: one scrape target computed from Redis, whichever worker counted.

Labels are bounded by what the operator configured: lanes, provider links, states, error types,
findings, workers; and twenty scopes of near questions. Never a user.
"""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from ..telemetry.metrics import Counts, Metrics
from ..telemetry.sketch import representative, upper
from .findings import NAMES
from .health import Verdict
from .near_metrics import Family, near_families
from .snapshot import MICRO, FleetSnapshot

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
WINDOWS_S = {"1m": 60, "5m": 300, "1h": 3600}
STATES = ("submitted", "done", "failed", "cancelled", "expired", "dead")
HISTOGRAMS = {
    "queue": ("completions_queue_seconds", "From submission to the first start."),
    "provider": ("completions_provider_seconds", "One provider call on the wire."),
    "total": ("completions_job_seconds", "From submission to the outcome, but for cache hits."),
    "hit": ("completions_hit_seconds", "From submission to the cached answer."),
}


def page(verdict: Verdict, metrics: Metrics) -> bytes:
    """The text of /metrics.

    Raises one of `connection.ERRORS` if the ledger answered the verdict and then went away.
    """
    collector = _Collector(verdict)
    if verdict.snapshot:
        collector.totals = metrics.totals()
        collector.windows = {name: metrics.window(span_s) for name, span_s in WINDOWS_S.items()}
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry)


class _Collector(Collector):
    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self.totals = Counts()
        self.windows: dict[str, Counts] = {}

    def collect(self) -> Iterator[Metric]:
        yield from _findings(self._verdict)
        if self._verdict.snapshot:
            yield from _gauges(self._verdict.snapshot)
            yield from _counters(self.totals)
            yield from _histograms(self.totals)
            yield _percentiles(self.windows)


def _findings(verdict: Verdict) -> Iterator[Metric]:
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


def _gauges(snapshot: FleetSnapshot) -> Iterator[Metric]:
    spent_usd = snapshot.spent / MICRO
    maybe_usd = snapshot.maybe / MICRO
    plain = {
        "completions_workers": ("Workers alive.", snapshot.workers),
        "completions_slots": ("Jobs that the fleet runs at once.", snapshot.slots),
        "completions_jobs_open": ("Jobs released or running.", snapshot.open),
        "completions_jobs_parked": ("Jobs that wait out a time.", snapshot.parked),
        "completions_dead_letters": ("Dead letters kept.", snapshot.dead),
        "completions_redis_seconds": ("Round trip to the ledger.", snapshot.redis_ms / 1000),
        "completions_today_usd": ("Spent since midnight UTC.", spent_usd),
        "completions_today_maybe_billed_usd": (
            "Possibly billed beside that since midnight UTC.",
            maybe_usd,
        ),
    }
    for name, (text, value) in plain.items():
        yield GaugeMetricFamily(name, text, value)
    yield _labelled("completions_jobs_waiting", "Jobs waiting in line.", "lane", snapshot.waiting)
    yield _labelled(
        "completions_oldest_wait_seconds",
        "Age of the first waiting job.",
        "lane",
        snapshot.oldest_s,
    )
    yield _labelled(
        "completions_link_cooling_seconds",
        "How much longer a link is left alone.",
        "link",
        {each.link: each.left_s for each in snapshot.cooling},
    )
    yield _labelled(
        "completions_clock_skew_seconds",
        "How far a worker's clock is ahead of the ledger's.",
        "worker",
        snapshot.skew_s,
    )
    fleet = [each for each in snapshot.budgets if each.kind == "fleet"]
    yield from map(_family, near_families(snapshot.near))
    yield _labelled(
        "completions_fleet_budget_used_ratio",
        "Of the fleet's limit.",
        "limit",
        {each.limit: each.used / each.allowed for each in fleet},
    )


def _labelled(
    name: str, text: str, label: str, values: dict[str, float] | dict[str, int]
) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for each, value in values.items():
        family.add_metric([each], value)
    return family


def _family(told: Family) -> Metric:
    family = GaugeMetricFamily(told.name, told.text, labels=told.labels)
    for labels, value in told.values.items():
        family.add_metric(labels, value)
    return family


def _counters(totals: Counts) -> Iterator[Metric]:
    events = totals.events
    jobs = CounterMetricFamily(
        "completions_jobs", "Jobs submitted, and ended by state.", labels=["state"]
    )
    for state in STATES:
        jobs.add_metric([state], events[state])
    yield jobs
    yield from _errors(totals)
    near = CounterMetricFamily(
        "completions_near_answers",
        "Near questions' answers: served, those that would have been, and what they were.",
        labels=["what"],
    )
    for what in ("hits", "would", "right", "wrong"):
        near.add_metric([what], events[f"near:{what}"])
    yield near
    labels = ["lane", "provider", "model", "outcome"]
    calls = CounterMetricFamily(
        "completions_calls",
        "Provider calls by what came of them: ok, length or a fault.",
        labels=labels,
    )
    for series, count in sorted(totals.calls.items()):
        calls.add_metric(list(series), count)
    yield calls
    spent_usd = events["spent_micro"] / MICRO
    yield CounterMetricFamily("completions_cost_usd", "Dollars spent.", spent_usd)
    saved_usd = events["saved_micro"] / MICRO
    yield CounterMetricFamily("completions_saved_usd", "What cache hits had cost.", saved_usd)
    # Gauges: a late reply ends the doubt about a call.
    maybe_usd = events["maybe_billed_micro"] / MICRO
    yield GaugeMetricFamily("completions_maybe_billed_usd", "Dollars possibly billed.", maybe_usd)
    yield GaugeMetricFamily(
        "completions_maybe_billed_calls", "Calls possibly billed.", events["maybe_billed_attempts"]
    )
    unknown = "Calls on the wire when their worker died."
    yield CounterMetricFamily("completions_unknown_attempts", unknown, events["unknown_attempts"])
    yield CounterMetricFamily(
        "completions_dead_letters_made", "Jobs that failed for good.", events["dead_letters"]
    )


def _errors(totals: Counts) -> Iterator[Metric]:
    for name, text, label, counts in (
        ("job_errors", "Jobs that ended in an error, by its type.", "error", totals.errors),
        ("job_failures", "Those by the service's own doing.", "error", totals.failures),
        ("job_refusals", "Those that a limit refused, by the limit.", "limit", totals.refusals),
    ):
        family = CounterMetricFamily(f"completions_{name}", text, labels=[label])
        for each, count in sorted(counts.items()):
            family.add_metric([each], count)
        yield family


def _histograms(totals: Counts) -> Iterator[Metric]:
    families = {
        kind: HistogramMetricFamily(name, text, labels=["lane", "provider", "model"])
        for kind, (name, text) in HISTOGRAMS.items()
    }
    for (kind, *labels), samples in sorted(totals.buckets.items()):
        buckets = [(str(bound_s), _below(samples, bound_s)) for bound_s in BOUNDS_S]
        buckets.append(("+Inf", sum(samples.values())))
        sum_ms = sum(representative(index) * count for index, count in samples.items())
        families[kind].add_metric(labels, buckets, sum_value=sum_ms / 1000)
    yield from families.values()


def _below(samples: Mapping[int, int], bound_s: float) -> int:
    """How many samples are in buckets that end at the bound or before it."""
    return sum(count for index, count in samples.items() if upper(index) <= bound_s * 1000)


def _percentiles(windows: dict[str, Counts]) -> Metric:
    # Not "quantile": Prometheus keeps that label for summaries, and this is a gauge.
    labels = ["kind", "lane", "provider", "model", "window", "percentile"]
    family = GaugeMetricFamily(
        "completions_latency_seconds", "Percentiles of a sliding window, within 2 %.", labels=labels
    )
    for window, counts in windows.items():
        for row in counts.rows():
            series = [row.kind, row.lane, row.provider, row.model, window]
            percentiles = {"50": row.p50, "95": row.p95, "99": row.p99, "100": row.max}
            for percentile, value_ms in percentiles.items():
                family.add_metric([*series, percentile], value_ms / 1000)
    return family
