"""`complete` raises nothing but `JobError`, whatever its arguments are."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.contract.amounts import micro_usd
from producer.contract.errors import InvalidRequest, JobError
from producer.contract.identifiers import checked_id, checked_label, visible
from producer.contract.requests import CompletionRequest
from producer.contract.submission import Submission

USER = [{"role": "user", "content": "hi"}]
JOB_ID = "job-1"

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["\ud800", "\x1b[31m", "2026-01-01", "auto", "batch", "u1", ""])
    | st.binary(max_size=4)
    | st.datetimes()
    | st.decimals()
    | st.builds(object)
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3)
        | st.fixed_dictionaries({"task": inner})
        | st.fixed_dictionaries({"role": inner, "content": inner})
    ),
    max_leaves=8,
)
FIELDS = [*CompletionRequest.model_fields, "user_id", "idempotency_key", "unknown", "\ud800"]
OPTIONS = "countdown eta expires link link_error chain chord group_id group_index queue".split()


def submitted(job_id=JOB_ID, args=(), kwargs=None, options=None):
    """What goes to the ledger, all of which can be written in UTF-8."""
    given = kwargs
    if given is None:
        given = {"messages": USER, "user_id": "u1"}
    item = Submission.from_call(job_id, args, given, options or {}).stored().item
    for value in vars(item).values():
        str(value).encode()
    return item


def nested(levels):
    inner = {}
    for _ in range(levels):
        inner = {"items": inner}
    return inner


def tool(parameters):
    return {"tools": [{"type": "function", "function": {"name": "f", "parameters": parameters}}]}


@settings(max_examples=300)
@given(
    job_id=st.just(JOB_ID) | anything,
    kwargs=st.dictionaries(st.sampled_from(FIELDS), anything, max_size=4),
    options=st.dictionaries(st.sampled_from(OPTIONS), anything, max_size=2),
)
def test_any_arguments_are_taken_or_refused(job_id, kwargs, options):
    try:
        submitted(job_id, (), {"messages": USER, "user_id": "u1"} | kwargs, options)
    except JobError as error:
        str(error).encode()


@settings(max_examples=100)
@given(args=anything, kwargs=anything)
def test_any_shape_of_call_is_taken_or_refused(args, kwargs):
    with pytest.raises(JobError):
        submitted("", args, kwargs)


@pytest.mark.parametrize("name", ["countdown", "eta", "expires"])
@pytest.mark.parametrize(
    "value", [math.nan, math.inf, 10**400, 1e18, "soon", [], datetime.max, Decimal("sNaN"), {}]
)
def test_a_time_that_is_none_is_refused(name, value):
    with pytest.raises(InvalidRequest, match=name):
        submitted(options={name: value})


def test_times_long_past_are_at_once():
    """As in Celery: an eta that has passed is no delay, an expiry that has passed is one."""
    past = datetime.now(UTC) - timedelta(days=10_000)
    assert submitted(options={"eta": past}).delay_ms == 0
    assert submitted(options={"countdown": -math.inf}).delay_ms == 0
    assert submitted(options={"expires": -math.inf}).deadline_ms == 1


@pytest.mark.parametrize(
    "parameters",
    [
        nested(100_000),
        {"default": math.nan},
        {"default": -math.inf},
        {"default": "\ud800"},
        {"\udfff": 1},
        {1: 2},
        {"when": datetime.now(UTC)},
        {"set": {1, 2}},
        {"bytes": b"x"},
        {"number": 10**5000},
    ],
)
def test_a_schema_that_json_cannot_say_is_refused(parameters):
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": parameters}}
    for fields in (tool(parameters), {"response_format": schema}):
        with pytest.raises(InvalidRequest):
            submitted(kwargs={"messages": USER, "user_id": "u1"} | fields)


@pytest.mark.parametrize(
    "options",
    [
        {"link": 5},
        {"link": ["x"]},
        {"chord": []},
        {"chord": {"task": 5}},
        {"chain": [[[]]]},
        {"link": nested(100_000)},
        {"group_index": "x"},
        {"root_id": {}},
        {"link": [{"task": "t", "args": [math.nan]}]},
    ],
)
def test_a_continuation_that_celery_would_choke_on_is_refused(options):
    if options == {"chord": []}:
        assert submitted(options=options).continuation == ""  # Celery's own way to say none
        return
    with pytest.raises(InvalidRequest):
        submitted(options=options)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        ".",
        "..",
        "a/b",
        "a b",
        "a\nb",
        "a\x1b[2Jb",
        "é",
        "-v",
        "a\\b",
        "a?b",
        "a#b",
        7,
        b"a",
        ["a"],
    ],
)
def test_what_cannot_be_header_path_and_word_is_no_id(wrong):
    with pytest.raises(InvalidRequest, match="task_id"):
        submitted(job_id=wrong)
    with pytest.raises(InvalidRequest, match="idempotency_key"):
        submitted(kwargs={"messages": USER, "user_id": "u1", "idempotency_key": wrong})


@pytest.mark.parametrize("right", ["a", "order:17", "A.b_c-d", "mail@example.org", "x" * 255])
def test_other_ids_are_taken_as_they_are(right):
    assert submitted(job_id=right).id == right


@pytest.mark.parametrize("taken", ["night.0", "a.b.17", "b.3~1", ".5"])
def test_ids_of_items_are_their_batchs(taken):
    with pytest.raises(InvalidRequest, match="item of a batch"):
        submitted(job_id=taken)


@given(st.text(st.characters()))
def test_what_is_accepted_can_be_shown(text):
    """An id is one word of ASCII, a label one line without control sequences."""
    for check in (checked_id, checked_label):
        try:
            shown = check("name", text)
        except InvalidRequest as error:
            shown = str(error)
        assert visible(shown, keep="") == shown
        assert len((shown + "x").splitlines()) == 1


@given(st.text(st.characters()))
def test_what_is_made_visible_stays_visible(text):
    shown = visible(text)
    shown.encode()
    assert visible(shown) == shown
    assert not any(sign in shown for sign in "\x1b\x9b\x07\r\u202e\u2066\u200b")


@pytest.mark.parametrize(
    "wrong", [-1, -0.01, math.nan, math.inf, -math.inf, 10**400, "1", [], True, Decimal("NaN"), 2e6]
)
def test_a_budget_is_a_number_that_is_not_negative(wrong):
    with pytest.raises(InvalidRequest, match="max_usd"):
        micro_usd("max_usd", wrong)


def test_a_budget_is_never_rounded_up():
    assert [micro_usd("max_usd", usd) for usd in (0, 0.29, 0.0000019, Decimal("0.5"), 3)] == [
        0,
        290_000,
        1,
        500_000,
        3_000_000,
    ]


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
TEXT = {"type": "text", "text": "hi"}


def image(url):
    return [{"role": "user", "content": [TEXT, {"type": "image_url", "image_url": {"url": url}}]}]


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": ""}],
        [{"role": "user", "content": " \n"}],
        [{"role": "user", "content": []}],
        [{"role": "user", "content": [{"type": "text", "text": ""}, IMAGE]}],
        [{"role": "system", "content": [TEXT, IMAGE]}, *USER],
        [{"role": "developer", "content": [IMAGE]}, *USER],
        [{"role": "assistant", "content": [IMAGE]}, *USER],
        [{"role": "tool", "tool_call_id": "c", "content": [IMAGE]}, *USER],
        image("data:image/png;base64,%%%"),
        image("data:image/png;base64,aGk"),
        image("data:image/png;base64,"),
        image("data:image/png,hi"),
        image("data:text/html;base64,aGk="),
        image("file:///etc/passwd"),
        image(""),
    ],
)
def test_what_a_provider_would_drop_is_refused(messages):
    with pytest.raises(InvalidRequest, match=r"messages\[\d\]"):
        CompletionRequest.checked(messages=messages)


def test_images_and_empty_tool_results_are_taken():
    call = {"id": "c", "function": {"name": "f", "arguments": "{}"}}
    CompletionRequest.checked(
        messages=[
            {"role": "user", "content": [IMAGE]},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": ""},
            *image("https://example.org/a.png"),
        ]
    )
