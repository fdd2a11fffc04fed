"""The page about performance: its tables are what was measured, and targets are judged rightly."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.performance import page, plot, targets
from benchmarks.performance.figures import Part, Seen, of_row, ratio, read, seen, write

ROOT = Path(__file__).parents[2]
SHOWN_BY = {1: "cost", 2: "cost", 3: "latency", 4: "in flight"} | {
    5: "callers",
    6: "backlog",
    7: "start",
}
FULL, BARE, NOOP = targets.FULL, targets.BARE, targets.NOOP


def cost(**worker):
    """A part with these values of the worker per case, and a server that takes a tenth."""
    part = Part(how={"jobs": 10})
    names = {"full": FULL, "bare": BARE, "noop": NOOP, "hit": targets.HIT, "set": page.SET}
    for name, values in worker.items():
        for value in values:
            part.add(names[name], {"worker_ms": value, "server_ms": value / 10})
    return part


def verdict(parts, what):
    return next(one for one in targets.verdicts(parts) if what in one.target.what)


def test_a_ratio_is_of_medians_and_its_noise_that_of_the_rounds():
    part = cost(full=[4, 6, 20], bare=[2, 4, 4])
    assert ratio(part, "worker_ms", FULL, BARE) == Seen(1.5, 1.5, 5.0)
    assert of_row(part, FULL, "worker_ms") == Seen(6, 4, 20)


def test_what_was_not_measured_is_nothing():
    part = cost(full=[4])
    assert ratio(part, "worker_ms", FULL, BARE) is None
    assert of_row(part, BARE, "worker_ms") is None
    assert ratio(cost(full=[4], bare=[0]), "worker_ms", FULL, BARE) is None


@pytest.mark.parametrize(("full", "met"), [([5, 9, 5], True), ([5.01, 5.01, 1], False)])
def test_a_target_is_judged_by_the_median(full, met):
    found = verdict({"cost": cost(full=full, bare=[5, 5, 5])}, "beside plain Celery")
    assert found.met is met
    assert found.target.said() == "<= 1 x"


@pytest.mark.parametrize(("per_s", "met"), [(90, True), (89.9, False)])
def test_a_target_may_be_a_least_one(per_s, met):
    part = Part()
    part.add(targets.MANY, {"per_s": per_s})
    found = verdict({"in flight": part}, "1,000 calls")
    assert found.met is met
    assert found.target.said() == ">= 90 /s"


def test_a_target_without_figures_is_neither_met_nor_missed():
    found = targets.verdicts({})
    assert {one.met for one in found} == {None}
    assert {one.target.show for one in found} == {1, 2, 3, 4, 5, 6, 7}
    assert "not measured" in page.of_targets({})


def test_every_target_s_figure_is_in_a_table():
    """A renamed case or measure would leave its target unmeasured for ever."""
    kept = read(ROOT / "docs/performance.json")
    left_out = [name for part in kept.values() for name in part.left_out]
    unmeasured = [
        one.target.what
        for one in targets.verdicts(kept)
        if one.met is None and SHOWN_BY[one.target.show] in kept
    ]
    assert [what for what in unmeasured if not any(name in what for name in left_out)] == []


def test_only_what_was_measured_is_written_anew():
    marked = "before\n<!-- bench: cost -->\nold\n<!-- /bench -->\n"
    other = "<!-- bench: idle -->\nkept\n<!-- /bench -->\nafter\n"
    text = page.rewritten(marked + other, {"cost": cost(full=[4, 6, 20], bare=[2, 4, 4])})
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith(other)
    assert f"| {FULL} | 6 (4 to 20) | - | 1.5 (1.5 to 5) | 0.6 (0.4 to 2) |" in text
    assert page.rewritten(text, {}) == text


def test_who_is_left_out_is_told_with_why():
    part = cost(full=[4])
    part.left_out["arq"] = "no package index"
    assert "Left out: arq (no package index)." in page.of_part("cost", part)


def test_numbers_have_three_digits_and_no_exponent():
    assert [page.number(value) for value in (0.00123, 12.345, 1234.5, 0)] == [
        "0.00123",
        "12.3",
        "1,234",
        "0",
    ]


def test_the_plot_is_svg_with_every_case():
    parts = {"cost": cost(full=[4, 6], bare=[2, 3], set=[1, 1])}
    tree = ElementTree.fromstring(plot.svg(parts))
    said = [text.text for text in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert FULL in said
    assert BARE in said
    assert page.SET not in said
    ends = [
        float(rect.get("x", 0)) + float(rect.get("width"))
        for rect in tree.iter("{http://www.w3.org/2000/svg}rect")
    ]
    assert max(ends) <= plot.WIDTH


def test_figures_are_kept_as_they_were(tmp_path):
    part = cost(full=[4.00004, 6], bare=[2, 3])
    part.left_out["arq"] = "why"
    write(tmp_path / "figures.json", {"cost": part})
    kept = read(tmp_path / "figures.json")["cost"]
    assert kept.rows[FULL]["worker_ms"] == [4.0, 6.0]
    assert list(kept.rows) == [FULL, BARE]
    assert (kept.left_out, kept.how) == (part.left_out, part.how)


def test_the_page_and_the_plot_are_the_figures():
    """`python benchmarks/bench.py --render` writes both anew."""
    kept = read(ROOT / "docs/performance.json")
    for name in ("performance.md", "scaling.md"):
        text = (ROOT / "docs" / name).read_text()
        assert page.rewritten(text, kept) == text
    assert plot.svg(kept) == (ROOT / "docs/performance.svg").read_text()


def test_seen_wants_every_part_of_a_formula():
    assert seen({}, targets.value("cost", FULL, "worker_ms")) is None
