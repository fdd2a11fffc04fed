"""Hits and errors of the semantic cache on labelled pairs of questions and on 300 hostile ones,
replayed as traffic in random orders: fixed thresholds, each entry's own bound alone, and ours with
judges that err. Without a network; two minutes.

    python benchmarks/semantic.py [--data FOLDER] [--orders 20]    printed
    python benchmarks/semantic.py --write       and kept in docs/semantic.json, page and plot anew
    python benchmarks/semantic.py --render      page and plot anew from docs/semantic.json

The folder has `question-pairs.json.gz` (text_a, text_b, label) and `question-pairs.npz` (texts,
embeddings). About 1 label in 20 is debatable: that is the floor of what "wrong" means here. Hostile
pairs have no vectors; all are taken to be 0.97 alike.
"""

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from statistics import mean
from unittest.mock import patch

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy
from support.hostile_questions import hostile_pairs
from support.semantic_replay import (
    Pair,
    Score,
    best_threshold,
    fixed,
    halves,
    orders,
    ours,
    pair_of,
    popular,
)

from benchmarks.semantic_page import Figures, Row, plot, rewritten, tables

PAGE = ROOT / "docs/caching.md"
FIGURES = ROOT / "docs/semantic.json"
PLOT = ROOT / "docs/semantic.svg"
STATED = 0.01
THRESHOLDS = (0.80, 0.85, 0.90, 0.93, 0.95, 0.97)
HOSTILE_SIMILARITY = 0.97
JUDGES = (0.02, 0.05, 0.10)
"""How often they err."""
ASKS = 20_000
"""Of the traffic in which some are asked for all day."""
RATIOS = (10, 30, 100)
"""What an answer costs, of a verdict about two questions."""
VERDICT_USD = (150 * 0.10 + 1 * 0.40) / 1e6
"""150 tokens in and one out of the smallest model, at its list price."""
OF_ANSWERS = 3
"""What a verdict about two answers costs, of one about two questions: they are longer."""
EMBEDDING_USD = 15 * 0.02 / 1e6
CONSTANTS = {
    "LEAST_LABELLED": (30, 50, 100),
    "LEARNT": (0.1, 0.25, 0.5),
    "MOST_ASKED": (0.02, 0.05),
}
"""Of the rule: what might have been chosen, too."""


def labelled(folder: Path) -> list[Pair]:
    with gzip.open(folder / "question-pairs.json.gz") as file:
        rows = json.load(file)
    with numpy.load(folder / "question-pairs.npz") as data:
        vectors = dict(zip(data["texts"], data["embeddings"].astype("f4"), strict=True))
    found = []
    for row in rows:
        one, two = row["text_a"], row["text_b"]
        alike = float(vectors[one] @ vectors[two])
        found.append(pair_of(one, two, alike, bool(row["label"])))
    return found


def hostile() -> list[Pair]:
    return [
        pair_of(each.one, each.two, HOSTILE_SIMILARITY, same=False, hostile=True)
        for each in hostile_pairs()
    ]


def row(name: str, scores: list[Score]) -> Row:
    return {
        "rule": name,
        "hits": round(mean(each.hits for each in scores)),
        "least": min(each.hits for each in scores),
        "error": round(mean(each.error for each in scores), 4),
        "worst": round(max(each.error for each in scores), 4),
        "kept": sum(each.keeps(STATED) for each in scores),
        "of": len(scores),
        "hostile": max(each.hostile for each in scores),
    }


def played(traffic: list[list[Pair]], judge_error: float | None) -> list[Score]:
    return [ours(order, seed, STATED, judge_error) for seed, order in enumerate(traffic)]


def rules(labelled: list[Pair], every: list[Pair], count: int) -> Iterator[Row]:
    for threshold in THRESHOLDS:
        yield row(f"cosine ≥ {threshold:.2f}", [fixed(every, threshold)])
    best = fixed(labelled, best_threshold(labelled, STATED))
    yield row("the best threshold, without the hostile pairs", [best])
    traffic = orders(every, count)
    yield row("each entry's bound alone (no judge)", played(traffic, None))
    for error in JUDGES:
        yield row(f"ours, a judge that errs in {error:.0%}", played(traffic, error))


def on_the_other_half(labelled: list[Pair], count: int) -> Iterator[Row]:
    """What is chosen on a random half of the labelled pairs, played on the other."""
    thresholds, as_it_is, chosen = [], [], []
    for seed, (one, two) in enumerate(halves(labelled, count)):
        thresholds.append(fixed(two, best_threshold(one, STATED)))
        as_it_is.append(ours(two, seed))
        with patch.multiple("worker.semantic.decision", **best_constants(one, seed)):
            chosen.append(ours(two, seed))
    yield row("the best threshold of one half", thresholds)
    yield row("ours as it is", as_it_is)
    yield row("ours with the best constants of one half", chosen)


def best_constants(pairs: list[Pair], seed: int) -> dict[str, float]:
    """Of those that keep the stated rate here those with the most hits."""
    found = []
    for values in product(*CONSTANTS.values()):
        constants = dict(zip(CONSTANTS, values, strict=True))
        with patch.multiple("worker.semantic.decision", **constants):
            score = ours(pairs, seed)
        if score.error <= STATED:
            found.append((score.hits, values, constants))
    return max(found)[-1] if found else {}


def asked_all_day(every: list[Pair], count: int) -> Iterator[Row]:
    traffic = popular(every, ASKS, count)
    yield row("each entry's bound alone (no judge)", played(traffic, None))
    yield row("ours, a judge that errs in 2%", played(traffic, JUDGES[0]))


def money(every: list[Pair], count: int) -> Iterator[Row]:
    """Dollars per million requests, after every embedding and verdict is paid."""
    requests = 2 * len(every)
    scores = played(orders(every, count), JUDGES[0])
    verdicts = mean(each.asked_judge + OF_ANSWERS * each.asked_answers for each in scores)
    for ratio in RATIOS:
        whole = requests * ratio * VERDICT_USD
        saved = mean(each.hits for each in scores) * ratio * VERDICT_USD
        paid = {"embeddings": requests * EMBEDDING_USD, "verdicts": verdicts * VERDICT_USD}
        sums = {"answers": whole, "not paid": saved, **paid, "saved": saved - sum(paid.values())}
        yield {"ratio": ratio} | {
            name: round(usd * 1e6 / requests, 2) for name, usd in sums.items()
        }


def measured(folder: Path, count: int) -> Figures:
    known = labelled(folder)
    every = known + hostile()
    return {
        "how": {"pairs": len(known), "same": sum(pair.same for pair in known), "asks": ASKS},
        "rules": [*rules(known, every, count)],
        "halves": [*on_the_other_half(known, count)],
        "all day": [*asked_all_day(every, count)],
        "money": [*money(every, count)],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--render", action="store_true")
    asked = parser.parse_args()
    if not asked.render:
        figures = measured(asked.data, asked.orders)
        print("\n\n".join(tables(figures).values()))
        if asked.write:
            FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    if asked.render or asked.write:
        figures = json.loads(FIGURES.read_text())
        PAGE.write_text(rewritten(PAGE.read_text(), figures))
        PLOT.write_text(plot(figures))


if __name__ == "__main__":
    main()
