"""How a job ended, as the ledger stores it: a completion or an error. Reading a newer version falls
back to `JobError`.
"""

import json

from .completions import Completion
from .errors import JobError

Outcome = Completion | JobError


def dump_outcome(outcome: Outcome) -> str:
    if isinstance(outcome, Completion):
        return json.dumps({"completion": outcome.model_dump(mode="json")})
    return json.dumps({"error": outcome.to_wire()})


def load_outcome(text: str) -> Outcome:
    wire = json.loads(text)
    return (
        Completion.model_validate(wire["completion"])
        if "completion" in wire
        else JobError.from_wire(wire["error"])
    )
