"""What Prometheus makes of scraped pages, as far as our alert rules go: selectors with matchers,
`sum`, `rate`, `increase` and `absent`, arithmetic, comparisons, `and` and `unless on()`.

A series counts from its second sample on: as in Prometheus, the value that it begins with is no
increase. Source: prometheus.io/docs/prometheus/latest/querying (operators, functions).
"""

import operator
import re
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
UNITS_S = {"s": 1, "m": 60, "h": 3_600}
TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[a-z_]\w*)|(?P<matchers>\{[^}]*\})"
    r"|(?P<range>\[\d+[smh]\])|(?P<sign>==|[()/+*>]))",
)
COMPARISONS = {">": operator.gt, "==": operator.eq}
ARITHMETIC = {"/": operator.truediv, "+": operator.add, "*": operator.mul}
PRECEDENCE = ({"and", "unless"}, set(COMPARISONS), {"+"}, {"/", "*"})


class Scrape(NamedTuple):
    at_s: float
    samples: dict[str, Vector]

    @classmethod
    def of(cls, at_s: float, page: str) -> "Scrape":
        samples: dict[str, Vector] = {}
        for family in text_string_to_metric_families(page):
            for each in family.samples:
                labels = frozenset(each.labels.items())
                samples.setdefault(each.name, {})[labels] = each.value
        return cls(at_s, samples)


class Rules:
    """`for` of each rule, in seconds, over the scrapes so far."""

    def __init__(self, rules):
        self._rules = {
            each["alert"]: (each["expr"], seconds(each.get("for", "0s"))) for each in rules
        }
        self._since: dict[str, float] = {}
        self.scrapes: list[Scrape] = []

    def scrape(self, at_s: float, page: str) -> set[str]:
        """The alerts that fire then. "" = nothing was served."""
        self.scrapes.append(Scrape.of(at_s, page))
        fires = set()
        for name, (expr, for_s) in self._rules.items():
            if not evaluated(expr, self.scrapes):
                self._since.pop(name, None)
            elif at_s - self._since.setdefault(name, at_s) >= for_s:
                fires.add(name)
        return fires


def seconds(text: str) -> int:
    return int(text[:-1]) * UNITS_S[text[-1]]


def evaluated(expr: str, scrapes: list[Scrape]) -> Vector | float:
    """Of the last scrape."""
    reader = _Reader(expr, scrapes)
    found = reader.binary(0)
    assert reader.token is None, f"cannot be read from {reader.token} on: {expr}"
    return found


class _Reader:
    def __init__(self, expr: str, scrapes: list[Scrape]) -> None:
        self._tokens = []
        at = 0
        while expr[at:].strip():
            found = TOKEN.match(expr, at)
            assert found, f"cannot be read: {expr[at:]}"
            self._tokens.append((found.lastgroup, found.group().strip()))
            at = found.end()
        self._scrapes = scrapes

    @property
    def token(self):
        return self._tokens[0] if self._tokens else None

    def take(self, wanted=None):
        kind, text = self._tokens.pop(0)
        assert wanted in (None, kind, text), f"{wanted} instead of {text}"
        return text

    def binary(self, level):
        if level == len(PRECEDENCE):
            return self.operand()
        left = self.binary(level + 1)
        while self.token and self.token[1] in PRECEDENCE[level]:
            sign = self.take()
            if self.token == ("name", "on"):
                for each in ("on", "(", ")"):
                    self.take(each)
                left = among(sign, left, self.binary(level + 1))
            else:
                left = combined(sign, left, self.binary(level + 1))
        return left

    def operand(self):
        kind, text = self.token
        if kind == "number":
            return float(self.take())
        if text == "(":
            return self._in_brackets(lambda: self.binary(0))
        name = self.take("name")
        if name == "sum":
            inner = self._in_brackets(lambda: self.binary(0))
            return {frozenset(): sum(inner.values())} if inner else {}
        if name == "absent":
            inner = self._in_brackets(lambda: self.binary(0))
            return {} if inner else {frozenset(): 1.0}
        if name in ("rate", "increase"):
            return self._in_brackets(lambda: self._grown(name))
        return matching(self._scrapes[-1].samples.get(name, {}), self._matchers())

    def _in_brackets(self, read):
        self.take("(")
        found = read()
        self.take(")")
        return found

    def _matchers(self):
        if not self.token or self.token[0] != "matchers":
            return []
        return re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', self.take())

    def _grown(self, function):
        name, matchers = self.take("name"), self._matchers()
        range_s = seconds(self.take("range")[1:-1])
        from_s = self._scrapes[-1].at_s - range_s
        values: dict[Labels, list[float]] = {}
        for each in self._scrapes:
            if each.at_s >= from_s:
                for labels, value in matching(each.samples.get(name, {}), matchers).items():
                    values.setdefault(labels, []).append(value)
        grown = {labels: each[-1] - each[0] for labels, each in values.items() if len(each) > 1}
        divisor = range_s if function == "rate" else 1
        return {labels: value / divisor for labels, value in grown.items()}


def matching(vector: Vector, matchers) -> Vector:
    tests = {
        "=": lambda value, wanted: value == wanted,
        "!=": lambda value, wanted: value != wanted,
        "=~": lambda value, wanted: bool(re.fullmatch(wanted, value)),
        "!~": lambda value, wanted: not re.fullmatch(wanted, value),
    }
    return {
        labels: value
        for labels, value in vector.items()
        if all(tests[sign](dict(labels).get(name, ""), wanted) for name, sign, wanted in matchers)
    }


def among(sign, left: Vector, right: Vector) -> Vector:
    """`and on()`, `unless on()`: whatever the labels."""
    return left if bool(right) == (sign == "and") else {}


def combined(sign, left, right) -> Vector:
    """A vector with a number, or the series of two with the same labels."""
    if isinstance(right, float):
        right = dict.fromkeys(left, right)
    if sign == "and":
        return {labels: value for labels, value in left.items() if labels in right}
    if sign == "unless":
        return {labels: value for labels, value in left.items() if labels not in right}
    both = [(labels, left[labels], right[labels]) for labels in left if labels in right]
    if sign in COMPARISONS:
        return {labels: one for labels, one, other in both if COMPARISONS[sign](one, other)}
    if sign == "/":  # 0 / 0 is NaN, which no comparison lets through
        both = [each for each in both if each[2]]
    return {labels: ARITHMETIC[sign](one, other) for labels, one, other in both}
