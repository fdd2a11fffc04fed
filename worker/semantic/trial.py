"""One job's try to be answered by another question's answer: what was found, what was decided, and
what is learnt when it was asked all the same.
"""

import json
import random
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from producer.contract.completions import Completion
from producer.contract.ledger.functions import Functions

from ..cache import Cache
from ..ledger.attempt import Attempt
from ..ledger.running_job import RunningJob
from ..ledger.semantic_functions import NearLearn, NearPeek
from .decision import Course, Near, Rule
from .evidence import Observation, OwnEvidence, Verdict, place
from .gate import Pass, compare
from .index import Candidate, Looked
from .judge import Judged, label
from .scope import Scope, digest
from .words import read

MOST_TRIED = 3
"""Candidates behind the gate whose answers are looked for: one may be gone or busted."""


@dataclass(frozen=True)
class Trial:
    """Its repr shows questions and answers: never log it."""

    scope: Scope
    candidate: Candidate
    looked: Looked
    rule: Rule
    near: Near
    course: Course
    verdict: Verdict
    """That was known before."""
    entry: str
    """Of the exact cache."""
    now_ms: int

    @classmethod
    def of(
        cls, call: Functions, scope: Scope, looked: Looked, rule: Rule, shadow: bool
    ) -> "Trial | None":
        """Of the best candidate behind the gate whose answer is there; None if there is none.

        Raises `ERRORS` while the ledger is away.
        """
        asked = read(scope.question)
        gated = ((each, compare(asked, read(each.question))[0]) for each in looked.candidates)
        passed = ((each, gate) for each, gate in gated if gate is not Pass.NO)
        for found, gate in islice(passed, MOST_TRIED):
            peeked = call(_peek(scope, found))
            if not peeked.answer:
                continue
            near = Near(found.similarity, gate, OwnEvidence(peeked.right, peeked.wrong))
            chance = random.random()  # noqa: S311 -- a sample, not a secret
            course = rule.course(near, looked.pool, chance, shadow)
            known: Verdict = peeked.verdict  # type: ignore[assignment]
            return cls(
                scope, found, looked, rule, near, course, known, peeked.answer, peeked.now_ms
            )
        return None

    @property
    def waits_for_judge(self) -> bool:
        """Whether a verdict may have it served."""
        unknown = self.verdict == "none" and not self.course.asked
        return unknown and self.course.first.action == "judge" and self.course.judged

    def judged(self, judge: Judged) -> "Trial":
        """With the judge's verdict, unless it is known."""
        if self.verdict != "none" or not self.course.judged:
            return self
        said = judge.of_questions(self.candidate.question, self.scope.question)
        return replace(self, verdict=said)

    def judged_and_noted(self, call: Functions, judge: Judged) -> "Trial":
        """The same; a pair is judged once, whether its job waited for that or not."""
        said = self.judged(judge)
        call(said._note(0, judge.micro_usd, ()))
        judge.micro_usd = 0
        return said

    def still_there(self, call: Functions) -> "Trial | None":
        """After a wait, in which its answer may have been erased or busted; None if it was."""
        peeked = call(_peek(self.scope, self.candidate))
        if not peeked.answer:
            return None
        return replace(self, entry=peeked.answer, now_ms=peeked.now_ms)

    @property
    def serves(self) -> bool:
        """Whether the rule would have it served."""
        return self.rule.of(self.near, self.looked.pool, self.verdict).action == "serve"

    def answer(
        self, cache: Cache, job: RunningJob, attempt: Attempt, embedding_micro_usd: int
    ) -> Completion | None:
        """The stored answer as this job's; None if it cannot be read."""
        found = cache.given(job, attempt, self.entry, self.now_ms)
        if found is None:
            return None
        changes: dict[str, Any] = {
            "cached": "semantic",
            "similarity": round(self.candidate.similarity, 4),
            "cost_usd": found.cost_usd + embedding_micro_usd / 1_000_000,
        }
        return found.model_copy(update=changes)

    @property
    def served(self) -> str:
        """For the ledger, which counts it when the job ends so, and knows what to call wrong."""
        return json.dumps(
            {
                "scope": self.scope.key,
                "entry": self.candidate.entry,
                "pair": _pair(self.scope, self.candidate),
                "bin": str(place(self.candidate.similarity)),
            }
        )

    def learn(
        self, call: Functions, stored: Completion, asked: Completion, judge: Judged | None
    ) -> None:
        """Label the pair, now that both answers are there."""
        said = self.judged(judge) if judge else self
        would = said.serves
        known = label(self.scope.question, stored, asked, said.verdict, judge)
        seen = Observation(self.candidate.similarity, said.verdict, known, would)
        saving = round(asked.cost_usd * 1_000_000) if would else 0
        fields = (*seen.fields, "would") if would else seen.fields
        note = said._note(saving, judge.micro_usd if judge else 0, fields)
        call(replace(note, label=known))

    def _note(self, would_micro: int, judge_micro: int, names: tuple[str, ...]) -> NearLearn:
        return NearLearn(
            self.scope.key,
            self.candidate.entry,
            _pair(self.scope, self.candidate),
            verdict=self.verdict,
            would_micro=would_micro,
            judge_micro=judge_micro,
            items=names,
        )


def _peek(scope: Scope, found: Candidate) -> NearPeek:
    pair = _pair(scope, found)
    return NearPeek(scope.key, found.entry, pair, found.content, found.namespace, scope.tags)


def _pair(scope: Scope, candidate: Candidate) -> str:
    """Names two questions, whichever came first."""
    return digest(*sorted((scope.content, candidate.content)))
