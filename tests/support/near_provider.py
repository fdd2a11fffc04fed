"""A provider for tests of the semantic cache: what two questions mean is their last word."""

import json
from collections.abc import Iterator

SMALL = "openai:text-embedding-3-small"
JUDGE = "openai:gpt-4.1-nano"
WORDINGS = (
    "How do I cancel {}?",
    "How can I cancel {}?",
    "Please tell me how to cancel {}",
    "What is the way to cancel {}?",
    "Hello, how does one cancel {}?",
    "I want to cancel {}",
    "Can you help me cancel {}?",
    "How would I cancel my {}?",
    "How could someone cancel the {}?",
    "Is there any way to cancel {}?",
)


def near_env(env: dict[str, str], mode: str, **more: str) -> dict[str, str]:
    """The environment of a worker with a judge, beside a chain of one link."""
    return env | {
        "LLM_CHAIN": f"openai:gpt-4o-mini,{JUDGE}",
        "LLM_EMBEDDING_CHAIN": SMALL,
        "LLM_SEMANTIC_CACHE": mode,
        "LLM_SEMANTIC_JUDGE": JUDGE,
        "LLM_SEMANTIC_TIMEOUT_MS": "5000",
        "LLM_SEMANTIC_JUDGE_TIMEOUT_MS": "5000",
        **more,
    }


def wordings(topic: str) -> Iterator[str]:
    return (each.format(topic) for each in WORDINGS)


def near_script(request: dict, number: int) -> str:
    """Vectors; verdicts that are right; answers that are the same in other words."""
    if "input" in request:
        return "near"
    about = _judged(request)
    if about is None:
        topic = _topic(_text(request["messages"][-1]))
        return f"ok;text=Answer {number}: do it for {topic};out=400"
    same = len({_topic(text) for name, text in about.items() if name != "question"}) == 1
    return f"ok;text={'yes' if same else 'no'};out=1"


def kind(call) -> str:
    """What a call that the provider saw is for: embedding, judge or answer."""
    if "input" in call.request:
        return "embedding"
    return "answer" if _judged(call.request) is None else "judge"


def _judged(request: dict) -> dict[str, str] | None:
    first = request["messages"][0]
    if first["role"] != "system" or "yes or no" not in _text(first):
        return None
    return json.loads(_text(request["messages"][-1]))


def _text(message: dict) -> str:
    content = message["content"]
    return content if isinstance(content, str) else content[0]["text"]


def _topic(text: str) -> str:
    return text.split()[-1].strip("?.").lower()
