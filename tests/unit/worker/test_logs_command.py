"""`completions logs sum`: what of the dollars is estimated, and what is possibly billed."""

import json

from click.testing import CliRunner

from worker.commands.logs import logs


def line(cost_usd, basis, maybe_billed_usd=0):
    record = {"event": "provider_call", "model": "m", "cost_usd": cost_usd, "cost_basis": basis}
    return json.dumps(record | {"maybe_billed_usd": maybe_billed_usd})


LINES = "\n".join(
    (line(0.01, "stated"), line(0.002, "estimated"), line(0, "unknown", 0.5), "no record")
)


def test_what_rests_on_an_estimate_is_told():
    said = CliRunner().invoke(logs, ["sum"], input=LINES).output
    assert "$0.012000 ($0.002000 of it estimated) and perhaps $0.500000" in said
    found = json.loads(CliRunner().invoke(logs, ["sum", "--json"], input=LINES).output)
    assert (found["cost_usd"], found["estimated_usd"]) == (0.012, 0.002)
