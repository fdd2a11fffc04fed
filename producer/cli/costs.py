"""How the commands show what something cost, and how surely that is known."""

from ..contract.completions import Completion


def shown(
    cost_usd: float, estimated_usd: float = 0.0, maybe_billed_usd: float = 0.0, digits: int = 6
) -> str:
    """For example "$0.012000 ($0.002000 of it estimated) and perhaps $0.100000"."""
    text = f"${cost_usd:.{digits}f}"
    if estimated_usd:
        text += f" (${estimated_usd:.{digits}f} of it estimated)"
    if maybe_billed_usd:
        text += f" and perhaps ${maybe_billed_usd:.{digits}f}"
    return text


def of_answer(completion: Completion) -> str:
    text = shown(completion.cost_usd, maybe_billed_usd=completion.maybe_billed_usd)
    if completion.cost_basis == "estimated":
        text += " (estimated)"
    return text
