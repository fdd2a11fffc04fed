"""The judge: one strict yes or no about two questions, or about two answers to them."""

import json
import string

from producer.contract.completions import Completion
from producer.contract.messages import Message
from producer.contract.requests import CompletionRequest

from ..ledger.running_job import RunningJob
from .errands import TAG, Errands
from .evidence import Label, Verdict

QUESTIONS = (
    "Two users asked the two questions below. Would one answer be fully right for both? Say no if "
    "any number, date, name, place, unit, condition, negation or direction differs, or if one asks "
    "for more than the other. Reply with one word: yes or no."
)
ANSWERS = (
    "Below are a question and two answers. Do both answers say the same, so that a reader of "
    "either would know and do the same? Ignore wording and order. Reply with one word: yes or no."
)
MOST_ANSWER = 6_000
"""Characters of each answer that it reads."""
DEADLINE_S = 10.0
MOST_TOKENS = 64
"""Of its reply: one word, and room for a model that thinks a little first."""


class Judged:
    """A judge for one job, which pays for it; it adds up what it cost."""

    def __init__(self, errands: Errands, link: str, asker: RunningJob) -> None:
        self._errands = errands
        self._link = link
        self._asker = asker
        self.micro_usd = 0

    def of_questions(self, one: str, two: str) -> Verdict:
        return self._says(QUESTIONS, {"question 1": one, "question 2": two})

    def of_answers(self, question: str, one: str, two: str) -> Verdict:
        asked = {"question": question, "answer 1": one[:MOST_ANSWER], "answer 2": two[:MOST_ANSWER]}
        return self._says(ANSWERS, asked)

    def _says(self, instruction: str, about: dict[str, str]) -> Verdict:
        text = json.dumps(about, ensure_ascii=False)
        request = CompletionRequest(
            messages=(
                Message(role="system", content=instruction),
                Message(role="user", content=text),
            ),
            model=self._link,
            temperature=0.0,
            max_tokens=MOST_TOKENS,
            cache="bypass",
            semantic=False,
            on_truncation="accept",
            on_outage="fail",
            deadline_s=DEADLINE_S,
            tags=(TAG,),
        )
        done = self._errands.do(self._asker, request)
        self.micro_usd += done.micro_usd
        word = (done.answer.text if done.answer else "").strip().strip(string.punctuation).lower()
        if word == "yes":
            return "yes"
        return "no" if word == "no" else "none"


def label(
    question: str, stored: Completion, asked: Completion, verdict: Verdict, judge: Judged | None
) -> Label:
    """Whether the stored answer would have been right, now that the other is there.

    Same after normalisation, or the same JSON, or the judge says so; a judge who contradicts what
    it said of the questions is asked once more, and has to say it twice. What nobody could compare
    is not right.
    """
    if known := _compared(stored, asked):
        return known
    if judge is None:
        return "wrong"
    said = judge.of_answers(question, stored.text, asked.text)
    if verdict != "none" and said != "none" and said != verdict:
        again = judge.of_answers(question, asked.text, stored.text)
        said = said if again == said else verdict
    return "right" if said == "yes" else "wrong"


def _compared(one: Completion, two: Completion) -> Label | None:
    """None: it takes a reader to tell."""
    if one.tool_calls or two.tool_calls:
        first, second = ([each.function for each in side.tool_calls] for side in (one, two))
        return "right" if first == second else "wrong"
    if _plain(one.text) == _plain(two.text):
        return "right"
    try:
        first, second = json.loads(one.text), json.loads(two.text)
    except ValueError:
        return None
    return "right" if first == second else "wrong"


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).strip(string.punctuation)
