"""What an operator does about a refusal that concerns every job of a link, in one line. Pure."""

from urllib.parse import urlsplit

from ..faults import Fault, ProviderError
from ..settings import VENDORS, Link, link_prefix

PATHS = {"openai": "/chat/completions", "anthropic": "/v1/messages"}
"""Adapter -> what it adds to a base URL."""
DEFAULT_ADDRESS = "the provider's own address"


def with_fix(link: Link, error: ProviderError) -> ProviderError:
    """The error, with the fix in its reason where one is known."""
    told = _told(link, error)
    if told:
        error.reason = told
        error.goes_on = True
    return error


def _told(link: Link, error: ProviderError) -> str:
    """What follows the link's name."""
    match error.fault, error.about:
        case Fault.MISCONFIGURED, "key" if error.status != 407:
            return f"refused its key: {error.reason}; set {_variable(link, 'API_KEY')}"
        case Fault.MISCONFIGURED, "model" if error.status == 403 and not error.code:
            return f"forbids it: {error.reason}; check what its key may use"
        case Fault.MISCONFIGURED, "model":
            return f"does not have the model: {error.reason}; correct LLM_CHAIN"
        case Fault.MISCONFIGURED, "link" if error.status is not None:
            return _address(link, error.status)
        case Fault.QUOTA_EXHAUSTED, _:
            return f"takes no more: {error.reason}; see the provider's billing page"
    return ""


def _address(link: Link, status: int) -> str:
    """Of a server that is there, but is no such API."""
    place = DEFAULT_ADDRESS
    if link.base_url:
        place = _without_user(link.base_url) + PATHS.get(link.adapter, "")
    variable = _variable(link, "BASE_URL")
    if 300 <= status < 400:
        return f"redirects from {place} ({status}); give the address it leads to in {variable}"
    what = "a web page, but no API" if status == 200 else "no API"
    return f"has {what} at {place} ({status}); a base URL usually ends in /v1: correct {variable}"


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return bare.geturl().rstrip("/")


def _variable(link: Link, name: str) -> str:
    return (VENDORS.get(link.provider) or link_prefix(link.provider)) + name
