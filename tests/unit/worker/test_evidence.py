"""What a call says of its link: most failures speak of their request, or of nobody."""

from pathlib import Path

import pytest

from worker.faults import Fault, ProviderError, usual_about
from worker.providers.evidence import SAYS, Judge
from worker.settings import RetrySettings

JUDGE = Judge(RetrySettings(cooldown_s=7, retry_after_max_s=120))


@pytest.mark.parametrize(
    ("error", "hurried", "says"),
    [
        (ProviderError(Fault.UNAVAILABLE, "x", status=500), False, "fails"),
        (ProviderError(Fault.UNAVAILABLE, "refused"), False, "fails"),
        (ProviderError(Fault.OVERLOADED, "x", status=529), False, "fails"),
        (ProviderError(Fault.TIMEOUT, "x"), False, "fails"),
        (ProviderError(Fault.TIMEOUT, "a deadline of the job"), True, ""),
        (ProviderError(Fault.TIMEOUT, "x", status=504), True, "fails"),
        (ProviderError(Fault.TIMEOUT, "cancelled", about="nothing"), False, ""),
        (ProviderError(Fault.MISCONFIGURED, "x", status=401, about="key"), False, "refuses"),
        (ProviderError(Fault.QUOTA_EXHAUSTED, "x", status=429), False, "refuses"),
        (ProviderError(Fault.MISCONFIGURED, "x", status=404, about="model"), False, "doubts"),
        (ProviderError(Fault.RATE_LIMITED, "x", status=429), False, ""),
        (ProviderError(Fault.BAD_REQUEST, "x", status=400), False, ""),
        (ProviderError(Fault.CONTENT_FILTERED, "x", status=400), False, ""),
        (ProviderError(Fault.LOST, "x"), False, ""),
    ],
)
def test_what_a_failure_says(error, hurried, says):
    assert JUDGE.of_failure(error, hurried).says == says


LONG = "HTTP 429 and asks to be left alone for 86,400 s"


@pytest.mark.parametrize(
    ("asked_s", "kept_s", "reason"),
    [(None, 0, "HTTP 429"), (30, 30, "HTTP 429"), (86_400, 120, LONG)],
)
def test_what_the_provider_asks_for_is_kept_and_a_long_wait_probed(asked_s, kept_s, reason):
    error = ProviderError(Fault.RATE_LIMITED, "x", retry_after_s=asked_s, status=429)
    found = JUDGE.of_failure(error, False)
    assert (found.told_s, found.reason, found.opening_s) == (kept_s, reason, 7)


def test_the_fix_goes_with_the_reason():
    """Whose job ends for an outage reads what to do about it."""
    fix = "refused its key: HTTP 401 invalid_api_key; set OPENAI_API_KEY"
    error = ProviderError(Fault.MISCONFIGURED, fix, status=401, about="key", goes_on=True)
    assert JUDGE.of_failure(error, False).reason == fix


@pytest.mark.parametrize("about", ["request", "nothing"])
@pytest.mark.parametrize("fault", Fault)
def test_what_is_about_one_request_or_nothing_never_counts(fault, about):
    error = ProviderError(fault, "x", retry_after_s=9, about=about)
    found = JUDGE.of_failure(error, False)
    assert (found.says, found.told_s) == ("", 0)


def test_the_docs_have_the_table_that_the_code_uses():
    page = (Path(__file__).parents[3] / "docs" / "providers.md").read_text()
    words = {
        "": "nothing",
        "doubts": "the link's model may fail: a second job confirms it",
        "fails": "the link fails",
        "refuses": "the link refuses all calls: it is left at once",
    }
    for about, says in SAYS.items():
        faults = ", ".join(f"`{fault}`" for fault in Fault if usual_about(fault) == about)
        listed = f" {faults} " if faults else " "
        assert f"| {about} |{listed}| {words[says]} |" in page
