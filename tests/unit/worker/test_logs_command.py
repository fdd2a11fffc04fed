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
    found = json.loads(CliRunner().invoke(logs, ["sum", "--json"], input=LINES).stdout)
    assert (found["cost_usd"], found["estimated_usd"]) == (0.012, 0.002)


def test_what_log_drivers_put_around_a_line_is_passed_over():
    """And whatever is no record of ours is skipped and counted, also one that is only called so."""
    record = line(0.01, "stated")
    lines = [
        f"worker-1  | {record}",
        f"[pod/worker-7d/worker] {record}",
        f"2026-11-27T16:00:00.1Z stdout F {record}",
        f"Nov 27 16:00:00 host completions[7]: {record}",
        json.dumps({"log": record + "\n", "stream": "stdout"}),
        json.dumps({"MESSAGE": record, "_PID": "7"}),
        json.dumps({"MESSAGE": list(record.encode()), "_PID": "7"}),
        json.dumps({"textPayload": record, "severity": "INFO"}),
        json.dumps({"jsonPayload": json.loads(record)}),
        f"\x1b[36mworker-1  | \x1b[0m{record}\x1b[0m",
        f"[{{pod}}] {record}",
        "",
        "no record {",
        "[" * 100_000 + "{" * 100_000,
        json.dumps({"event": "provider_call", "cost_usd": "a lot"}),
        json.dumps({"event": "provider_call", "cost_usd": 1e999}),
        json.dumps({"some": "thing"}),
    ]
    done = CliRunner().invoke(logs, ["sum"], input="\n".join(lines))
    assert "11 calls (0 failed)" in done.stdout
    assert "5 lines are no records of ours and were skipped." in done.stderr
    assert done.exit_code == 0
