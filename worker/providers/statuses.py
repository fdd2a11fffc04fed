"""What an HTTP response that is no success means, whichever server sent it. It never passes on a
body's words, which may repeat the prompt: only names of codes, types and parameters leave here.

Its body's codes and words count first (refusals.toml), then its status.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from ..faults import About, Fault, ProviderError
from ..rate_limit_headers import LONGEST_WAIT_S, RateLimits, seconds, wait_s
from .bodies import Json, documents, is_moderate, mapping
from .error_bodies import ErrorBody, error_body, name_of
from .refusals import BILLS, STATUSES, Found, Meaning, meaning_of

BY_STATUS = {
    400: Fault.BAD_REQUEST,
    401: Fault.MISCONFIGURED,
    402: Fault.QUOTA_EXHAUSTED,
    403: Fault.MISCONFIGURED,
    404: Fault.MISCONFIGURED,
    405: Fault.MISCONFIGURED,
    407: Fault.MISCONFIGURED,
    408: Fault.TIMEOUT,
    410: Fault.MISCONFIGURED,
    409: Fault.UNAVAILABLE,
    413: Fault.TOO_LONG,
    422: Fault.BAD_REQUEST,
    429: Fault.RATE_LIMITED,
    504: Fault.TIMEOUT,
    524: Fault.TIMEOUT,
    529: Fault.OVERLOADED,
}

WITHOUT_JSON = (401, 402, 404, 405, 407, 408, 410, 413, 429)
"""Statuses below 500 that mean the same when the body is not the API's JSON."""

MAYBE_BILLED = {status for row in BILLS if row.billed == "maybe" for status in row.status}
"""A gateway gave up waiting: the provider may have done the work. Any other refusal is not paid."""

NO_API = "no API at this address; a base URL usually ends in /v1"
REDIRECT = "a redirect, which is not followed: give the address it leads to"


class Verdict(NamedTuple):
    """What a meaning is to us. `about` None: as the fault usually is."""

    fault: Fault
    phrase: str
    about: About | None = None


VERDICTS: dict[Meaning, Verdict] = {
    "window": Verdict(Fault.TOO_LONG, "the prompt does not fit the model's window"),
    "too_large": Verdict(Fault.TOO_LONG, "the request is larger than a limit allows"),
    "money": Verdict(Fault.QUOTA_EXHAUSTED, "the account's money is used up"),
    "unaffordable": Verdict(
        Fault.QUOTA_EXHAUSTED, "the account's money does not pay for this request", "model"
    ),
    "quota": Verdict(Fault.QUOTA_EXHAUSTED, "a quota of the account is used up"),
    "rate": Verdict(Fault.RATE_LIMITED, ""),
    "unsupported": Verdict(Fault.UNSUPPORTED, "the model lacks what the request needs"),
    "parameter": Verdict(Fault.UNSUPPORTED, "the model refuses a parameter"),
    "model": Verdict(Fault.MISCONFIGURED, "", "model"),
    "key": Verdict(Fault.MISCONFIGURED, "", "key"),
    "account": Verdict(Fault.MISCONFIGURED, "the account may not use it", "key"),
    "flagged": Verdict(Fault.CONTENT_FILTERED, "the request was flagged"),
    "overloaded": Verdict(Fault.OVERLOADED, ""),
    "unreadable": Verdict(Fault.BAD_RESPONSE, "the model's call of a tool could not be read"),
    "no_api": Verdict(Fault.MISCONFIGURED, NO_API, "link"),
}

OPTIONAL = (
    "temperature",
    "max_completion_tokens",
    "max_tokens",
    "store",
    "stream",
    "stream_options",
    "include",
    "encoding_format",
    "parallel_tool_calls",
    "safety_identifier",
    "user",
    "metadata",
    "metadata.user_id",
    "labels",
)
"""Parameters that a call can leave out, or send under another name."""
OTHER_NAMES = {"streaming": "stream", "stream_options.include_usage": "stream_options"}
"""What servers call them in words."""

ERROR_WORDS = (b'"error', b'"code"', b'"base_resp"')
"""One of them is in every error that comes with a 200; in most answers none is."""
_SUSPECT = re.compile(rb"^.*(?:" + b"|".join(ERROR_WORDS) + rb").*$", re.MULTILINE)
STREAMS = (b"data:", b"event:", b"id:", b":")
"""How a body of server-sent events begins."""

LONGEST_UNTIL_S = 31 * LONGEST_WAIT_S
"""A usage limit that is told to last until a date is one of a calendar month at most."""

WRONG_SHAPE = (TypeError, ValueError, AttributeError, LookupError, RuntimeError)
"""What an SDK raises for a body of the wrong shape, or for a request that it will not send.

`ProviderError` is none of these.
"""


def bad_response(reason: str) -> ProviderError:
    """The error of a response that makes no sense; the provider may have billed it."""
    return ProviderError(Fault.BAD_RESPONSE, reason, maybe_billed=True)


def status_error(status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
    """The error of a response with `status`.

    `body`: as bytes or text, or as an SDK has parsed it. One that is no JSON is from a proxy, or
    from a server that is no such API.
    """
    stated = error_body(body)
    found = meaning_of(status, stated)
    verdict = _verdict(status, stated, found)
    return ProviderError(
        verdict.fault,
        _reason(status, stated, verdict),
        maybe_billed=status in MAYBE_BILLED,
        retry_after_s=_wait_s(verdict.fault, headers, stated, found),
        status=status,
        parameter=_parameter(stated, found),
        rate_limits=RateLimits.from_headers(headers),
        about=verdict.about,
        code=stated.code,
        type=stated.type,
    )


def refuse_no_answer(content: bytes, headers: Mapping[str, str]) -> None:
    """Raise `ProviderError` if the body of a 200 is a web page, an error of the API, or JSON that
    would take long to parse, which the SDKs might do.

    Also if one of the events of a stream is an error: then the answer has broken off.
    """
    start = content[:200].lstrip()
    if start.startswith(b"<"):
        raise ProviderError(Fault.MISCONFIGURED, f"a web page and {NO_API}", status=200)
    streams = start.startswith(STREAMS)
    if not streams and not is_moderate(content):
        raise bad_response("a reply of more values than an answer has")
    if not any(word in content for word in ERROR_WORDS):
        return
    for body in _suspects(content) if streams else documents(content)[:1]:
        error = error_in_answer(body, headers)
        if error:
            begun = streams and content.count(b"data:") > 1
            error.maybe_billed = error.maybe_billed or begun
            raise error


def _suspects(stream: bytes) -> list[Json]:
    """The events that may be errors: to parse all of them twice would take as long again."""
    return documents(b"\n".join(_SUSPECT.findall(stream)))


def error_in_answer(body: object, headers: Mapping[str, str]) -> ProviderError | None:
    """The error that a 200 holds instead of an answer, or in its first choice; None if none.

    It means what the status means that it states, or that its type stands for. An answer beside it
    may be billed.
    """
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return None
    stated = body.get("error") or _error_in_choice(body) or _bare_error(body)
    if not stated:
        return None
    error = status_error(_stated_status({"error": stated}), {"error": stated}, headers)
    error.maybe_billed = error.maybe_billed or bool(body.get("choices") or body.get("usage"))
    return error


def _error_in_choice(body: Json) -> object:
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return None
    return choices[0].get("error")


def _bare_error(body: Json) -> object:
    """A code with a message and no answer: OpenRouter; MiniMax in a place of its own."""
    if any(body.get(name) for name in ("choices", "candidates", "content", "usage")):
        return None
    told = mapping(body.get("base_resp"))
    if told.get("status_code"):
        return {"message": told.get("status_msg"), "code": told["status_code"]}
    if isinstance(body.get("message"), str) and body.get("code"):
        return body
    return None


def _stated_status(body: object) -> int:
    stated = error_body(body)
    meant = (STATUSES[code] for code in stated.codes if code in STATUSES)
    return stated.status or next(meant, 500)


def _verdict(status: int, stated: ErrorBody, found: Found | None) -> Verdict:
    if found and found.meaning == "parameter":
        return _of_parameter(_parameter(stated, found))
    if found:
        return VERDICTS[found.meaning]
    fault = _by_status(status, stated.is_json)
    phrase = ""
    about: About | None = None
    if 300 <= status < 400:
        phrase = REDIRECT
    elif status == 405 or (status == 404 and not stated.is_json):
        phrase = NO_API
    elif status == 401:
        return VERDICTS["key"]
    elif status == 407:
        return Verdict(fault, "the proxy wants a password", "key")
    elif stated.is_json and status in (403, 404):
        about = "model"
    return Verdict(fault, phrase, about)


def _parameter(stated: ErrorBody, found: Found | None) -> str:
    """As it is sent: xAI names maxTokens what it is sent as max_tokens."""
    name = name_of(found.parameter) if found else stated.param
    snake = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
    snake = OTHER_NAMES.get(snake, snake)
    return snake if snake in OPTIONAL else name


def _of_parameter(name: str) -> Verdict:
    """`Fault.STALE` if a call can do without it; if not, another link may take it."""
    fault = Fault.UNSUPPORTED
    if name in OPTIONAL:
        fault = Fault.STALE
    return Verdict(fault, f"the model refuses {name or 'a parameter'}")


def _by_status(status: int, is_json: bool) -> Fault:
    """A refusal that no row knows is a bad response: another link is tried, nothing is booked."""
    if status >= 500:
        return BY_STATUS.get(status, Fault.UNAVAILABLE)
    if 300 <= status < 400:
        return Fault.MISCONFIGURED
    if is_json or status in WITHOUT_JSON:
        return BY_STATUS.get(status, Fault.BAD_RESPONSE)
    if status == 403:
        return Fault.UNAVAILABLE
    return Fault.BAD_RESPONSE


def _wait_s(
    fault: Fault, headers: Mapping[str, str], stated: ErrorBody, found: Found | None
) -> float | None:
    """What the headers ask to wait, else what the body does."""
    if found and found.until:
        return _seconds_until(found.until)
    told = wait_s(headers, refused=fault is Fault.RATE_LIMITED)
    if told is not None:
        return told
    if stated.wait:
        cut = seconds(stated.wait)
        # googleapis/python-genai#1875: it is cut to whole seconds.
        return None if cut is None else min(cut + 1.0, LONGEST_WAIT_S)
    return seconds(found.wait) if found else None


def _seconds_until(words: str) -> float | None:
    """Of "2026-12-01 at 00:00 UTC"."""
    day, _, rest = words.partition(" ")
    time = rest.removeprefix("at ").partition(" ")[0]
    for text in (f"{day} {time}", day):
        try:
            instant = datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            continue
        left_s = (instant - datetime.now(UTC)).total_seconds()
        return min(max(left_s, 0.0), LONGEST_UNTIL_S)
    return None


def _reason(status: int, stated: ErrorBody, verdict: Verdict) -> str:
    """Holds nothing of the provider but a code in the form of a name."""
    words = f"HTTP {status}"
    if named := stated.code or stated.type:
        words += f" {named}"
    if verdict.phrase:
        words += f", {verdict.phrase}"
    return words
