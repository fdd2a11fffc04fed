"""A ledger in the middle of its work, and arguments that no function should let in."""

import uuid

from redis import Redis

from producer.contract.ledger import calls
from producer.contract.ledger.call import Call
from producer.contract.ledger.functions import Functions
from worker.broker.released_ids import Take
from worker.ledger import fleet_functions as fleet
from worker.ledger import job_functions as moves
from worker.ledger import semantic_functions as near
from worker.ledger.fleet_limits import FleetLimits

NUMBERS = ("", "nan", "inf", "-inf", "-5", "1.5", "1e3", "0x10", " 1", str(2**63), "9" * 400)
TEXTS = ("", "x" * 2_000, "{", '{"error":1}', "done\n", "job:", "budget:cc:{0}:j:run", "\0")
VALUES = tuple(dict.fromkeys((*NUMBERS, *TEXTS)))


def item(job_id: str, **changes: object) -> calls.SubmittedItem:
    """A plain job of alice."""
    fields = {
        "id": job_id,
        "user": "alice",
        "lane": "interactive",
        "fingerprint": f"fp-{job_id}",
        "request": "{}",
        "continuation": "",
        "deadline_ms": 0,
        "delay_ms": 0,
        "idempotency_key": "",
        "replays": "",
        "batch": "",
        "name": "",
        "wrong": "",
        "parent": "",
        "texts": "",
        "tags": "",
        "wire": 1,
    }
    return calls.SubmittedItem(**{**fields, **changes})  # type: ignore[arg-type]


def heartbeat(worker: str = "w1", slots: int = 2, **changes: object) -> fleet.Heartbeat:
    fields = {
        "worker": worker,
        "process": uuid.uuid4().hex,
        "slots": slots,
        "lanes": "both",
        "life_ms": 3_600_000,
        "age_ms": 1_000,
        "clock_ms": 1_700_000_000_000,
        "library": "completions_x",
        "outcome_ms": 86_400_000,
        "dead_letter_ms": 600_000,
        "usage_ms": 8_640_000_000,
        "batch_share": 0.1,
        "user_in_flight": 0,
        "offsets": "0:3600000",
        **FleetLimits(10_000, 100, 1_000_000, -1, -1, 5_000_000, -1, -1, "Africa/Tunis")._asdict(),
    }
    return fleet.Heartbeat(**{**fields, **changes})  # type: ignore[arg-type]


def used(limit: str) -> fleet.UsedDollars:
    return fleet.UsedDollars(limit, 7, 8)


def start(job_id: str) -> moves.Start:
    return moves.Start(job_id, "w1", 3_600_000, 3, 0, 1)


def reserve(job_id: str, fence: int = 1) -> moves.Reserve:
    link = moves.ReservedLink("openai:gpt-x", 10, 100, -1, -1, -1)
    asked = ("hash", "faq", True, True, "blog")
    return moves.Reserve(job_id, fence, 60_000, 1_000, *asked, (link,))


def settle(job_id: str, fence: int = 1, **changes: object) -> moves.Settle:
    fields = {
        "id": job_id,
        "fence": fence,
        "state": "failed",
        "outcome": '{"error":{"type":"ProvidersExhausted","args":["x",{}]}}',
        "fault": "overloaded",
        "billing": "real",
        "micro": 5,
        "tokens": 50,
        "output": 20,
        "estimated": True,
        "prompt_tokens": 9,
        "prompt_micro": 3,
        "booked_as": "openai:gpt-y",
        "says": "fails",
        "reason": "HTTP 500",
        "told_ms": 3_600_000,
        "opening_ms": 5_000,
        "limits": "10,9,1000,900",
        "saved_by": "openai:gpt-x",
        "saved_micro": 7,
        "near": '{"scope":"scope","entry":"entry","pair":"pair","bin":"53"}',
        "cache_key": "cc:{0}:c:0.0:0::hash",
        "cache_entry": "1;1;;alice;{}",
        "cache_ms": 3_600_000,
        "items": ("n|x",),
    }
    return moves.Settle(**{**fields, **changes})  # type: ignore[arg-type]


def park(job_id: str, fence: int = 1, **changes: object) -> moves.Park:
    fields = {
        "id": job_id,
        "fence": fence,
        "delay_ms": 60_000,
        "fault": "overloaded",
        "billing": "maybe",
        "micro": 0,
        "tokens": 0,
        "output": 0,
        "estimated": False,
        "prompt_tokens": -1,
        "prompt_micro": -1,
        "booked_as": "",
        "says": "fails",
        "reason": "HTTP 500",
        "told_ms": 3_600_000,
        "opening_ms": 5_000,
        "limits": "",
        "wakes_on": "links:openai:gpt-x",
        "crashed": False,
        "double_max_tokens": True,
        "restart_clock": True,
        "audited": "abc",
        "items": ("c|a|b",),
    }
    return moves.Park(**{**fields, **changes})  # type: ignore[arg-type]


def submit(*items: calls.SubmittedItem) -> calls.Submit:
    return calls.Submit("completions_x", items)


def busy_ledger(redis: Redis, call: Functions) -> None:
    """One job of each state, a batch with a failed item, limits and a document."""
    redis.flushall()
    call(fleet.SetLimits("user", "alice", "2", "", "", "", "", "", "", "team", ()))
    call(calls.KeepText("sha", "text"))
    call(heartbeat(slots=8))
    call(calls.BatchOpen("bat", "alice", "label", 60_000, 1_000))
    call(submit(item("run", deadline_ms=3_600_000, idempotency_key="once"), item("rel")))
    call(submit(item("doc", texts="sha", tags="a,b"), item("later", delay_ms=60_000)))
    call(submit(item("bat.0", batch="bat", lane="batch"), item("gone")))
    for job_id in ("run", "doc", "bat.0", "gone"):
        call(start(job_id))
        call(reserve(job_id))
    call(settle("bat.0"))
    call(settle("gone"))
    call(near.NearKeep("scope", "entry", "body", "faq", 0.01, 2, 60_000))


def valid_calls() -> dict[str, Call]:
    """One call of each function that `busy_ledger` takes, by the function's name."""
    found: list[Call] = [
        submit(item("bat.1", wrong='{"error":{"type":"InvalidRequest"}}', batch="bat"), item("n2")),
        start("rel"),
        reserve("run"),
        settle("run"),
        park("doc"),
        moves.Sweep(10, 3, 6, True, True, "retry", 0),
        moves.Renew(
            10_000,
            (
                moves.HeldLease("run", 1, False),
                moves.HeldLease("rel", 0, True),
                moves.HeldLease("gone", 0, False),
            ),
        ),
        heartbeat("w2", items=("rel", "run")),
        Take(1, "both"),
        moves.BudgetLeft("run"),
        moves.Agree("run", "parts_of", "1:2"),
        fleet.CountSamples(("n|x", "c|a|b")),
        fleet.BatchForget("bat"),
        fleet.ForgetJobs("alice", 5, ("gone", "run")),
        fleet.ReassignUsage(1, "erased", ('["alice","","",""]',)),
        fleet.Forgive("p:m", "run", 0, 10**13, 0, 100, False),
        fleet.SetLimits(
            "user", "bob", "2.5", "3", "4", "5", "6", "7", "8", "team", (used("usd_per_week"),)
        ),
        fleet.ResetLimits("user", "alice"),
        calls.LimitsLeft("user", "alice"),
        fleet.Snapshot(100, 60_000),
        calls.Status("run"),
        calls.Cancel("rel"),
        calls.ExpectTexts((calls.ExpectedText("sha"), calls.ExpectedText("none"))),
        calls.KeepText("other", "text"),
        calls.BatchOpen("bat2", "alice", "label", 60_000, -1),
        calls.BatchClose("bat", 2),
        calls.BatchChange("bat", "pause"),
        calls.BatchRetry("bat", ("bat.0",)),
        calls.BatchProgress("bat"),
        near.Errand("e1", "alice", "interactive", "fp", "{}", "a", 3, "w1", 3_600_000, "fleet"),
        near.NearLook("scope", 0),
        near.NearRead("scope", ("entry", "none")),
        near.NearPeek("scope", "entry", "pair", "hash", "faq", "blog"),
        near.NearKeep("scope", "other", "body", "faq", 0.01, 2, 60_000),
        near.NearLearn("scope", "entry", "pair", "yes", "right", 7, 5, ("53:yes:right",)),
        calls.NearWrong("gone"),
    ]
    return {each.function: each for each in found}
