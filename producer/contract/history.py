"""What is remembered of a job's attempts: which link, what came of it, what the provider said."""

from typing import Any, NamedTuple


class PastAttempt(NamedTuple):
    """One closed attempt. Of the provider's own words only names are kept, never a text.

    `fault` "": it was answered. `status`: the HTTP status, 0 if none came. `code`, `type`, `param`:
    the provider's own, "" if it stated none.
    """

    link: str
    fault: str
    status: int = 0
    code: str = ""
    type: str = ""
    param: str = ""

    @classmethod
    def read(cls, text: str) -> "PastAttempt":
        """From "link=fault" or "link=fault:status:code:type:param"."""
        link, _, rest = text.rpartition("=")
        fault, *said = rest.split(":")
        status, code, type_, param = [*said, "", "", "", ""][:4]
        return cls(link, fault, int(status or 0), code, type_, param)

    @property
    def said(self) -> str:
        """HTTP 401 invalid_api_key."""
        words = [f"HTTP {self.status}"] if self.status else []
        words += [self.code or self.type] if self.code or self.type else []
        words += [f"({self.param})"] if self.param else []
        return " ".join(words)

    def details(self) -> dict[str, Any]:
        """Its fields, without those that are not known."""
        known = {name: value for name, value in self._asdict().items() if value}
        return {"link": self.link, "fault": self.fault} | known

    def __str__(self) -> str:
        words = f"{self.link} {self.fault or 'answered'}"
        return f"{words} ({self.said})" if self.said else words


def read_history(text: str) -> tuple[PastAttempt, ...]:
    """As the ledger keeps it, in order."""
    return tuple(PastAttempt.read(item) for item in text.split(";") if item)
