"""What concerns every job of a link is told in one line, with the fix; nothing secret is in it."""

import pytest

from worker.faults import Fault, ProviderError
from worker.providers.fixes import with_fix
from worker.providers.statuses import refuse_no_answer, status_error
from worker.settings import Link

URL = "http://me:secret@gpu:8000?token=secret"


def link(provider="openai", base_url=None):
    return Link(provider=provider, model="m", adapter="openai", base_url=base_url)


def told(status, body, at):
    return with_fix(at, status_error(status, body, {})).of(at.name)


@pytest.mark.parametrize(
    ("status", "body", "at", "line"),
    [
        (
            401,
            {"error": {"code": "invalid_api_key", "message": "Incorrect key sk-secret"}},
            link(),
            "openai:m refused its key: HTTP 401 invalid_api_key; set OPENAI_API_KEY",
        ),
        (
            400,
            {"code": "a b", "error": "Incorrect API key provided: na***ys"},
            link("xai", "https://api.x.ai/v1"),
            "xai:m refused its key: HTTP 400; set LLM_LINK_XAI_API_KEY",
        ),
        (
            404,
            b"404 page not found",
            link("local", URL),
            "local:m has no API at http://gpu:8000/chat/completions (404); a base URL usually ends "
            "in /v1: correct LLM_LINK_LOCAL_BASE_URL",
        ),
        (
            301,
            None,
            link("local", "http://gpu/v1"),
            "local:m redirects from http://gpu/v1/chat/completions (301); give the address it "
            "leads to in LLM_LINK_LOCAL_BASE_URL",
        ),
        (
            404,
            {"error": "model 'm' not found"},
            link("local", "http://gpu/v1"),
            "local:m does not have the model: HTTP 404; correct LLM_CHAIN",
        ),
        (
            429,
            {"error": {"type": "insufficient_quota", "message": "x"}},
            link(),
            "openai:m takes no more: HTTP 429 insufficient_quota, the account's money is used up; "
            "see the provider's billing page",
        ),
        (500, {"error": {"type": "api_error"}}, link(), "openai:m: HTTP 500 api_error"),
    ],
)
def test_the_line_names_the_place_and_the_fix(status, body, at, line):
    assert told(status, body, at) == line


def test_a_web_page_is_told_with_its_address():
    with pytest.raises(ProviderError) as caught:
        refuse_no_answer(b"<html>login", {})
    error = with_fix(link("local", "http://gpu"), caught.value)
    assert error.fault is Fault.MISCONFIGURED
    assert error.of("local:m").startswith(
        "local:m has a web page, but no API at http://gpu/chat/completions (200); a base URL"
    )
