"""The words of a refusal by a limit."""

from worker.budgets.quota import refusal
from worker.ledger.attempt import Candidate
from worker.ledger.job_functions import InTheWay
from worker.settings import Link

OVER = [InTheWay("max_cost_per_request", 100_000, 0, 0, 410_000, -1)]


def candidate(model, priced):
    return Candidate(
        Link(provider="openai", model=model, adapter="openai"), 10, 410_000, 20, 0, priced
    )


def test_a_model_without_a_price_is_what_is_wrong():
    error = refusal(OVER, [candidate("my-llama", priced=False)])
    assert "no price known for openai:my-llama" in str(error)
    assert "openai:my-llama=INPUT/OUTPUT to LLM_PRICES" in str(error)
    assert "shorten the prompt" not in str(error)


def test_else_the_prompt_is():
    candidates = [candidate("my-llama", priced=False), candidate("gpt-4o", priced=True)]
    for given in (candidates, candidates[1:], []):
        assert "shorten the prompt or lower max_tokens" in str(refusal(OVER, given))
