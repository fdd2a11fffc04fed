"""Names that a producer and a worker must agree on. Constants only."""

from typing import Final, Literal

Lane = Literal["interactive", "batch"]

COMPLETE: Final = "completions.complete"
"""The task's name on the wire; routes, Flower and foreign clients use it."""

LANES: Final[tuple[Lane, ...]] = ("interactive", "batch")
"""In the order in which a worker drains them."""

QUEUES: Final[dict[Lane, str]] = {
    "interactive": "completions.interactive",
    "batch": "completions.batch",
}
"""The broker queue of each lane. A foreign client sends by name to one of these."""

QUARANTINE: Final = "completions.quarantine"
"""Broker list of entries that were no messages of ours; newest first."""

WIRE_VERSION: Final = 3
"""Version of the stored job. A worker leaves a job with a newer one to newer workers.

2: what follows a job (links, chain, chord) is read in the ledger, and no more in its message;
requests have a `cache_scope`. 3: large texts of a request are kept apart from it; messages have
refusals, marks for caches, errors of tools; requests have OpenAI's other parameters
(parameters.py), or ask for embeddings. A job that needs nothing of it is of version 1.
"""
