"""What is remembered of attempts comes back from the ledger's text as it was noted."""

from hypothesis import given
from hypothesis import strategies as st

from producer.contract.history import PastAttempt, read_history
from worker.faults import Fault, ProviderError


@given(
    fault=st.sampled_from(Fault),
    status=st.none() | st.integers(100, 599),
    code=st.text(max_size=80),
    type_=st.text(max_size=80),
    parameter=st.text(max_size=80),
)
def test_whatever_is_noted_can_be_read(fault, status, code, type_, parameter):
    """Also what an adapter of somebody else put into the fields."""
    error = ProviderError(fault, "x", status=status, code=code, type=type_, parameter=parameter)
    (first, second) = read_history(f"a:b=c={error.noted};openai:gpt=;")
    assert (first.link, first.fault, first.status) == ("a:b=c", fault, status or 0)
    assert max(map(len, (first.code, first.type, first.param))) <= 64
    assert second == PastAttempt("openai:gpt", "")


def test_an_attempt_is_told_in_a_few_words():
    said = PastAttempt.read("openai:m=misconfigured:401:invalid_api_key::")
    assert str(said) == "openai:m misconfigured (HTTP 401 invalid_api_key)"
    assert said.details() == {
        "link": "openai:m",
        "fault": "misconfigured",
        "status": 401,
        "code": "invalid_api_key",
    }
    assert str(PastAttempt.read("openai:m=")) == "openai:m answered"
