"""A ledger whose clock a test sets: that of a library that adds what a key says. The clock is read
in one place.
"""

from dataclasses import replace

from producer.contract.ledger import functions

SET_BY = "test-clock-s"


def with_moved_clock(monkeypatch) -> None:
    """Ledgers that are built from now on have it, once the key is set."""

    def shifted(prefix):
        found = library(prefix)
        text = found.text.replace(
            "local clock = redis.call('TIME')\n",
            "local clock = redis.call('TIME')\n"
            f"  clock[1] = clock[1] + (redis.call('GET', '{SET_BY}') or 0)\n",
        )
        assert text != found.text
        version = found.version[::-1]
        text = text.replace(found.version, version)
        return replace(found, name=f"completions_{version}", version=version, text=text)

    library = functions.library
    monkeypatch.setattr(functions, "library", shifted)


def set_clock(redis, by_s: float) -> None:
    """Forward by so many seconds."""
    redis.incrby(SET_BY, int(by_s))
