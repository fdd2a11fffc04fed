"""How a job ended, as the ledger stores it: a completion or an error.

An error of a kind that only a newer version knows is read as `JobError`.
"""

import json

from .completions import Completion
from .errors import JobError

Outcome = Completion | JobError


def dump_outcome(outcome: Outcome) -> str:
    if isinstance(outcome, Completion):
        try:
            return f'{{"completion":{outcome.model_dump_json()}}}'
        except ValueError:  # a lone surrogate, which JSON can say and UTF-8 cannot
            return json.dumps({"completion": outcome.model_dump(mode="json")})
    return json.dumps({"error": outcome.to_wire()})


def load_outcome(text: str) -> Outcome:
    wire = json.loads(text)
    if "completion" in wire:
        return Completion.model_validate(wire["completion"])
    return JobError.from_wire(wire["error"])
