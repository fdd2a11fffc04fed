"""What issue 25 asks of the figures, and whether it is so."""

from collections.abc import Callable
from typing import NamedTuple

from .figures import Parts, Pick, Seen, seen

FULL, HIT, BARE = "our full job", "our cache hit", "plain Celery + SDK, threads"
NOOP, PROXY, ENGINE = "raw Celery no-op, solo", "LiteLLM's proxy", "Celery's `get()`"
MANY = "1,000 of 10 s, asyncio"
DELAY = "Celery's `delay`"
Formula = Callable[[Parts, Pick], float]


class Target(NamedTuple):
    """`of` gives the figure, which is to be `limit` at most, or at `least`."""

    show: int
    what: str
    of: Formula
    limit: float
    unit: str = "x"
    least: bool = False

    def said(self) -> str:
        sign = "<="
        if self.least:
            sign = ">="
        return f"{sign} {self.limit:g} {self.unit}"

    def met(self, figure: float) -> bool:
        if self.least:
            return figure >= self.limit
        return figure <= self.limit


class Verdict(NamedTuple):
    """`met` and `seen` are None where it was not measured."""

    target: Target
    seen: Seen | None
    met: bool | None


def value(part: str, case: str, measure: str) -> Formula:
    return lambda parts, pick: pick(parts[part].rows[case][measure])


def times(part: str, measure: str, case: str, base: str) -> Formula:
    """`case` as a multiple of `base`."""
    upper, lower = value(part, case, measure), value(part, base, measure)
    return lambda parts, pick: upper(parts, pick) / lower(parts, pick)


def above(part: str, measure: str, case: str, base: str) -> Formula:
    upper, lower = value(part, case, measure), value(part, base, measure)
    return lambda parts, pick: upper(parts, pick) - lower(parts, pick)


def _waiting(way: str) -> list[Target]:
    case = f"our `{way}`"
    return [
        Target(
            3,
            f"added latency of `{way}` at 20/s, p50, above Celery's `get()`",
            above("latency", "p50_ms", case, ENGINE),
            6,
            "ms",
        ),
        Target(
            3,
            "the same, p99, beside Celery's `get()`",
            times("latency", "p99_ms", case, ENGINE),
            2,
        ),
    ]


def _backlog(step: str) -> list[Target]:
    """1,000,000 waiting jobs beside 1,000."""
    least, most = "1,000", "1,000,000"
    return [
        Target(
            6,
            f"{step} at a backlog of {most}, beside {least}: commands",
            times("backlog", f"{step}_commands", most, least),
            1.3,
        ),
        Target(6, "the same by time", times("backlog", f"{step}_us", most, least), 1.6),
    ]


TARGETS = [
    Target(
        1,
        "worker CPU of a full job, beside plain Celery + SDK on threads",
        times("cost", "worker_ms", FULL, BARE),
        1.0,
    ),
    Target(1, "the same beside LiteLLM's proxy", times("cost", "worker_ms", FULL, PROXY), 0.25),
    Target(
        1,
        "worker CPU of a cache hit, beside Celery's no-op",
        times("cost", "worker_ms", HIT, NOOP),
        1.5,
    ),
    Target(
        2,
        "server CPU of a full job, beside Celery's no-op",
        times("cost", "server_ms", FULL, NOOP),
        4,
    ),
    *(target for way in ("get()", "value()", "await") for target in _waiting(way)),
    Target(
        4,
        "1,000 calls of 10 s in flight in one process: jobs",
        value("in flight", MANY, "per_s"),
        90,
        "/s",
        least=True,
    ),
    Target(4, "its memory", value("in flight", MANY, "rss_mib"), 300, "MiB"),
    Target(
        4,
        "its warnings of our own and failed jobs",
        lambda parts, pick: (
            value("in flight", MANY, "warnings")(parts, pick)
            + value("in flight", MANY, "failed")(parts, pick)
        ),
        0,
        "",
    ),
    Target(
        4,
        "200 calls of 3 s in flight: jobs",
        value("in flight", "200 of 3 s, asyncio", "per_s"),
        60,
        "/s",
        least=True,
    ),
    Target(
        5,
        "the caller's CPU of `delay` with room in the fleet, beside Celery's `delay`",
        times("callers", "caller_ms", "our `delay`, room", DELAY),
        1.0,
    ),
    Target(
        5,
        "the same without room",
        times("callers", "caller_ms", "our `delay`, no room", DELAY),
        0.5,
    ),
    Target(5, "`many`, per job", times("callers", "caller_ms", "our `many`", DELAY), 0.15),
    *(target for step in ("submit", "dispatch", "settle") for target in _backlog(step)),
    Target(7, "CPU of a worker to ready, one link", value("start", "our worker", "cpu_s"), 2, "s"),
    Target(
        7,
        "what the first answer takes beyond its provider",
        value("start", "our worker", "first_ms"),
        100,
        "ms",
    ),
    Target(
        7,
        "`from producer import complete`: CPU",
        value("start", "import of `complete`", "cpu_s"),
        0.4,
        "s",
    ),
    Target(7, "its memory", value("start", "import of `complete`", "rss_mib"), 55, "MiB"),
]


def verdicts(parts: Parts) -> list[Verdict]:
    found = []
    for target in TARGETS:
        figure = seen(parts, target.of)
        met = None
        if figure:
            met = target.met(figure.middle)
        found.append(Verdict(target, figure, met))
    return found
