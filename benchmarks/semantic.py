"""Hits and errors of the semantic cache on labelled pairs of questions and on 300 hostile ones,
replayed as traffic in random orders: fixed thresholds, each entry's own bound alone, and ours, with
and without a judge. Without a network.

    python benchmarks/semantic.py [--data FOLDER] [--orders 20]

The folder has `question-pairs.json.gz` (text_a, text_b, label) and `question-pairs.npz` (texts,
embeddings). About 1 label in 20 is debatable: that is the floor of what "wrong" means here. Hostile
pairs have no vectors; all are taken to be 0.97 alike.
"""

import argparse
import gzip
import json
import sys
from pathlib import Path
from statistics import mean

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy
from support.hostile_questions import hostile_pairs
from support.semantic_replay import Pair, Score, fixed, orders, ours, pair_of

STATED = 0.01
THRESHOLDS = (0.80, 0.85, 0.90, 0.93, 0.95, 0.97)
FINE = [number / 1000 for number in range(800, 1000)]
HOSTILE_SIMILARITY = 0.97
RATIOS = (10, 30, 100)
"""What an answer costs, of a verdict about two questions."""
OF_ANSWERS = 3
"""What a verdict about two answers costs, of one about two questions: they are longer."""
EMBEDDINGS = 1 / 500
"""What an embedding costs, of an answer."""


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


def tell(name: str, scores: list[Score], kept: bool = True) -> None:
    hits = [each.hits for each in scores]
    errors = [each.error for each in scores]
    keeps = sum(each.keeps(STATED) for each in scores)
    print(
        f"{name:<28} {mean(hits):>7.0f} {min(hits):>6} {mean(errors):>8.2%} {max(errors):>8.2%}"
        f" {keeps:>5}/{len(scores)} {sum(each.hostile for each in scores):>8}"
    )


def tell_money(name: str, scores: list[Score], requests: int) -> None:
    """In answers: what is saved after every embedding and verdict is paid."""
    for ratio in RATIOS:
        saved = [
            each.hits
            - requests * EMBEDDINGS
            - (each.asked_judge + OF_ANSWERS * each.asked_answers) / ratio
            for each in scores
        ]
        print(f"{name:<28} an answer = {ratio:>3} verdicts: {mean(saved):>7.0f} answers saved")


def plot(points: list[tuple[str, float, float]]) -> None:
    """Hits against error, a letter each."""
    rows, columns = 14, 64
    most = max(hits for _, hits, _ in points)
    grid = [[" "] * columns for _ in range(rows)]
    for letter, hits, error in points:
        across = min(columns - 1, int(error / 0.8 * (columns - 1)))
        grid[rows - 1 - int(hits / most * (rows - 1))][across] = letter
    print(f"\nhits, up to {most:.0f}; error, 0 to 80 %")
    print("\n".join("|" + "".join(row) for row in grid) + "\n+" + "-" * columns)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--orders", type=int, default=20)
    asked = parser.parse_args()
    pairs = labelled(asked.data) + hostile()
    same = sum(pair.same for pair in pairs)
    print(f"{len(pairs):,} pairs, {same} the same; stated error {STATED:.0%}\n")
    print(
        f"{'rule':<28} {'hits':>7} {'least':>6} {'error':>8} {'worst':>8} {'kept':>8}"
        f" {'hostile':>8}"
    )
    played = orders(pairs, asked.orders)
    points = []
    for number, threshold in enumerate(THRESHOLDS):
        score = fixed(pairs, threshold)
        tell(f"{chr(97 + number)} cosine >= {threshold:.2f}", [score])
        points.append((chr(97 + number), score.hits, score.error))
    without_hostile = [pair for pair in pairs if not pair.hostile]
    keeping = [
        fixed(without_hostile, each)
        for each in FINE
        if fixed(without_hostile, each).error <= STATED
    ]
    best = max(keeping, key=lambda score: score.hits)
    tell("* best cosine that keeps it", [best])
    alone = [ours(order, seed, judge_error=None) for seed, order in enumerate(played)]
    tell("o without a judge", alone)
    for error in (0.02, 0.05, 0.10):
        scores = [ours(order, seed, judge_error=error) for seed, order in enumerate(played)]
        tell(f"O with a judge ({error:.0%} wrong)", scores)
        if error == 0.02:
            judged = scores
    points += [("*", best.hits, best.error)]
    points += [("O", mean(s.hits for s in judged), mean(s.error for s in judged))]
    print(f"\nhits of ours for each of the best threshold's: {points[-1][1] / best.hits:.1f}")
    tell_money("with a judge", judged, 2 * len(pairs))
    plot(points)


if __name__ == "__main__":
    main()
