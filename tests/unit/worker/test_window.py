"""A conversation is cut so that what is left makes sense and is as much as fits."""

from hypothesis import given
from hypothesis import strategies as st

from producer.contract.requests import CompletionRequest
from producer.contract.tool_turns import unpaired
from worker.providers.trimming import slide, without

CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
KINDS = {
    "system": {"role": "system", "content": "s"},
    "user": {"role": "user", "content": "u"},
    "assistant": {"role": "assistant", "content": "a"},
    "call": {"role": "assistant", "content": "", "tool_calls": [CALL]},
    "two calls": {"role": "assistant", "content": "", "tool_calls": [CALL, CALL]},
    "result": {"role": "tool", "tool_call_id": "c", "content": "r"},
}


def of(*kinds):
    return CompletionRequest.checked(messages=[KINDS[kind] for kind in kinds])


def count(request):
    return len(request.messages)


def roles(request):
    return [message.role for message in request.messages]


def test_the_oldest_go_and_the_system_stays():
    request = of("system", "user", "assistant", "user", "assistant", "user")
    assert slide(request, 6, count) == 0
    assert slide(request, 4, count) == 2
    assert roles(without(request, 2)) == ["system", "user", "assistant", "user"]


def test_a_call_goes_with_its_results():
    """A result without its call, or a call without its result, is a 400."""
    request = of("user", "two calls", "result", "result", "assistant", "user")
    assert slide(request, 4, count) == 4
    assert roles(without(request, 4)) == ["assistant", "user"]


def test_the_last_turn_stays_whatever_it_takes():
    assert slide(of("user", "assistant", "user"), 0, count) is None
    assert slide(of("user", "call", "result"), 1, count) is None


groups = st.lists(
    st.sampled_from(
        [
            ("user",),
            ("assistant",),
            ("system",),
            ("call", "result"),
            ("two calls", "result", "result"),
            ("two calls", "result", "user", "result"),
        ]
    ),
    min_size=1,
)


@given(groups, st.integers(0, 40))
def test_what_is_left_fits_is_whole_and_is_the_most(parts, room):
    """For any conversation: nothing more could have stayed."""
    request = of(*(kind for part in parts for kind in part))
    cut = slide(request, room, count)
    if cut is None:
        return
    left = without(request, cut)
    assert count(left) <= room
    assert [role for role in roles(left) if role == "system"] == [
        role for role in roles(request) if role == "system"
    ]
    spoken = [message for message in left.messages if message.role != "system"]
    assert not spoken or spoken[0].role != "tool"
    said = [message for message in request.messages if message.role != "system"]
    larger = [n for n in range(cut) if n < len(said) and said[n].role != "tool"]
    larger = [n for n in larger if not unpaired(said[n:])[0]]
    assert unpaired(left.messages) == ("", "")
    assert all(count(without(request, n)) > room for n in larger)
