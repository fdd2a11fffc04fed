"""A call's deadline is total, whatever the provider does, in both pools. How close it is kept:
benchmarks/deadlines.py.
"""

import json

import pytest
from support import slow

from producer.contract.errors import ProvidersExhausted


@pytest.mark.parametrize("pool", ["asyncio", "prefork"])
def test_no_call_outlives_its_deadline(complete, wire, start_worker, pool):
    """Silent, stalled after the headers, trickling: each ends as a timeout that may have been
    billed, its socket closed.

    None of them would end by itself in the time of this test, and the trickle never lets a socket
    wait.
    """
    wire.script = slow.script
    worker = start_worker(
        slow.env(wire.base_url), pool=pool, concurrency=9 if pool == "asyncio" else 3
    )
    for job, (link, _) in zip(slow.submit(complete), slow.CASES, strict=True):
        with pytest.raises(ProvidersExhausted) as caught:
            job.value(60)
        assert caught.value.attempts == [{"link": link, "fault": "timeout"}]
    wire.wait_for(lambda calls: len(calls) == 9 and all(call.ended for call in calls))
    lines = [json.loads(line) for line in worker.log().splitlines() if '"provider_call"' in line]
    assert [(line["error"], line["maybe_billed_usd"] > 0) for line in lines] == [
        ("timeout", True)
    ] * 9
