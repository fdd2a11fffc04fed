"""How fast each provider link writes, as this process has seen, and how long an answer may take."""

FLOOR = 10.0
"""Tokens per second that any link is believed to write; slower ones are for few to wait for."""
CEILING = 40.0
"""No link is relied on to write more, however fast it was: models of 50 are common."""
SLACK = 4.0
"""A link may be so many times slower than it was: loads of providers change within minutes."""
WEIGHTY = 256
"""Tokens of an answer whose time tells how fast its link writes, rather than how it begins."""
SMOOTHING = 0.25
"""How much the latest such answer counts for."""


class Speeds:
    """In tokens per second, by link."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}

    def learn(self, link: str, tokens: int, seconds: float) -> None:
        """An answer of so many tokens took so long, from its request to its end."""
        if tokens < WEIGHTY:
            return
        speed = tokens / seconds
        known = self._seen.setdefault(link, speed)
        self._seen[link] = known + (speed - known) * SMOOTHING

    def knows(self, link: str) -> bool:
        """Whether it has written an answer that tells."""
        return link in self._seen

    def most_s(self, link: str, tokens: int) -> float:
        """Seconds that the link may take to write as many tokens."""
        likely = self._seen.get(link, 0.0) / SLACK
        return tokens / min(max(likely, FLOOR), CEILING)


def longest_s(tokens: int) -> float:
    """Seconds that any link may take to write as many tokens."""
    return tokens / FLOOR
