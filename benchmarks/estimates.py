"""How far the bounds of a prompt's tokens are from the truth, before and after learning.

Per provider, without a network.

    python benchmarks/estimates.py

Truth is the provider's vocabulary (o200k for OpenAI, Gemma 3's for Gemini). Claude's is not public:
its stand-in is the largest count among four other vocabularies.
"""

import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import splintr
from support.corpus import generated, shipped

from producer.contract.requests import CompletionRequest
from worker.model_catalog import Models
from worker.providers.tokens import LEARNED, Estimator

STAND_INS = ("llama3", "mistral_v3", "deepseek_v3", "qwen3")
TRUTHS = {"openai": ("o200k_base",), "gemini": ("gemma3",), "anthropic": STAND_INS}
MODELS = {
    "openai": "gpt-6-luna",
    "gemini": "gemini-3.5-flash-lite",
    "anthropic": "claude-haiku-5-5",
}


vocabulary = cache(splintr.Tokenizer.from_pretrained)


def truth(provider: str, request: CompletionRequest) -> int:
    """The provider's count: the texts, three tokens a message, three to open the answer."""
    texts = [text for message in request.messages for _, text in message.texts()]
    counts = [
        sum(len(vocabulary(name).encode_ordinary(text)) for text in texts)
        for name in TRUTHS[provider]
    ]
    return max(counts) + 3 * len(request.messages) + 3


def requests(seed: int, count: int) -> list[CompletionRequest]:
    """Text-only requests: the shipped conversations and `count` generated ones."""
    plain = [each for each in shipped() if "image_url" not in str(each)]
    return [
        CompletionRequest.checked(messages=messages)
        for messages in [*plain, *generated(seed, count)]
    ]


def measure(
    provider: str, estimator: Estimator, sample: list[CompletionRequest], learn: bool
) -> tuple[float, float]:
    """(share of bounds below the truth, mean over-estimate)."""
    model, below, over = MODELS[provider], 0, 0.0
    for request in sample:
        true, high = truth(provider, request), estimator.bounds(request, provider, model).high
        below += high < true
        over += high / true - 1
        if learn:
            estimator.learn(request, provider, model, true)
    return below / len(sample), over / len(sample)


def main() -> None:
    print(f"{'provider':<10} {'below the truth':>16} {'mean over-estimate':>20}")
    for provider in MODELS:
        estimator = Estimator(Models.load())
        below, over = measure(provider, estimator, requests(1, 900), learn=True)
        print(f"{provider:<10} {below:>15.1%} {over:>20.1%}   while learning")
        below, over = measure(provider, estimator, requests(2, 900), learn=False)
        print(f"{'':<10} {below:>15.1%} {over:>20.1%}   after more than {LEARNED} answers")


if __name__ == "__main__":
    main()
