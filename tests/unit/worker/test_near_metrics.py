from worker.monitoring.near_metrics import MOST, near_families
from worker.semantic.report import ScopeReport

LITTLE = ScopeReport("0", "faq m", 1, 0, 0, 0, 0, 0, 0.01, 0.0, 0.0, 0, 0, 0)


def reports(count):
    """The last ones do most."""
    return [
        ScopeReport(f"s{n}", "faq m", 7, n, 2, 9, 1, 4, 0.01, 1.5, 0.5, 0, 0, 0)
        for n in range(count)
    ]


def test_scopes_are_told_under_their_short_names():
    told = {family.name: family.values for family in near_families(reports(1))}
    assert told["completions_near_entries"] == {("s0",): 7}
    assert told["completions_near_pairs"]["s0", "labelled"] == 9
    assert told["completions_near_usd"] == {("s0", "saved"): 1.5, ("s0", "would_save"): 0.5}
    error = told["completions_near_error_ratio"]
    assert error["s0", "lower"] < 0.25 < error["s0", "upper"]


def test_as_many_users_as_there_are_labels_stay_few():
    for family in near_families([LITTLE, *reports(5000)]):
        scopes = {labels[0] for labels in family.values}
        assert scopes == {f"s{n}" for n in range(5000 - MOST, 5000)}
