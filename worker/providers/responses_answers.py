"""OpenAI's Responses as OpenAI and the servers that imitate it send them, whole or as events. Pure.

What counts is the output's items: a stream repeats them whole at its end, or one by one before.
"""

from .answers import Answer, text_and_reasoning
from .bodies import Json, items, mapping, text_of, written
from .charges import service_tier
from .logprobs import token_logprobs
from .pieces import RawPiece
from .sources import of_openai
from .statuses import bad_response
from .tool_calls import RawCall
from .usages import openai_usage

ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
"""Events that end a stream, with the whole response in them."""
ITEM_DONE = "response.output_item.done"
REASONING = ("type", "id", "summary", "encrypted_content")
"""Of an item that is wanted back."""
API = "openai-responses"
CALLS = ("function_call", "tool_call")


def read(found: list[Json]) -> tuple[Answer, Json]:
    """The answer in the objects of a body, and the object with an error that it holds instead.

    Raises `ProviderError` for a body without an answer in it.
    """
    if not found:
        raise bad_response("a 200 that is not the API's JSON")
    body = _whole(found)
    if body.get("error"):
        return Answer(), {"error": body["error"], "usage": body.get("usage") or {"stated": False}}
    answer = Answer(api=API, finish=_finish(body), model=text_of(body.get("model")))
    stated = openai_usage(body.get("usage"))
    answer.stated = stated._replace(tier=service_tier(body.get("service_tier")))
    answer.provider_id = text_of(body.get("id"))
    output = [mapping(each) for each in items(body.get("output"))]
    _read_messages(answer, [each for each in output if _is_message(each)])
    for item in output:
        if item.get("type") == "reasoning":
            for name in ("summary", "content"):
                answer.reasoning += "".join(text_and_reasoning(item.get(name)))
            if item.get("encrypted_content"):
                answer.think(None, written([{each: item.get(each) for each in REASONING}]))
        elif item.get("type") == "web_search_call":
            answer.searches += 1
        elif item.get("type") in CALLS:
            answer.call(RawCall(item.get("name"), item.get("arguments")))
        elif str(item.get("type")).endswith("custom_tool_call"):
            answer.call(RawCall(None, None))
        elif _is_message(item) and not any(each.text for each in answer.pieces):
            answer.pieces.append(RawPiece(text=answer.text))
    if not output:
        answer.text = text_of(body.get("output_text"))
    return answer, {}


def _whole(found: list[Json]) -> Json:
    """The response: the body, or what the events of a stream say of it."""
    if not any(_event(each).startswith("response.") for each in found):
        return found[0]
    ended = next((each for each in reversed(found) if _event(each) in ENDS), {})
    whole = mapping(ended.get("response"))
    if not whole.get("output"):
        done = [each.get("item") for each in found if _event(each) == ITEM_DONE]
        whole = whole | {"output": done}
    return whole


def _event(body: Json) -> str:
    return text_of(body.get("type"))


def _finish(body: Json) -> object:
    """The status, or why it is incomplete."""
    details = mapping(body.get("incomplete_details"))
    return details.get("reason") or body.get("status")


def _is_message(item: Json) -> bool:
    return item.get("type") in ("message", None)


def _read_messages(answer: Answer, messages: list[Json]) -> None:
    """Of several messages those that are the final answer; what was said on the way to it counts as
    reasoning.
    """
    final = [each for each in messages if each.get("phase") == "final_answer"]
    for message in messages:
        text, thought = text_and_reasoning(message.get("content"))
        if final and message not in final:
            text, thought = "", text + thought
        answer.text += text
        answer.reasoning += thought
        for part in items(message.get("content")):
            answer.citations += of_openai(mapping(part))
            if text:
                answer.logprobs += token_logprobs({"content": mapping(part).get("logprobs")})
            refusal = mapping(part).get("refusal")
            if isinstance(refusal, str) and refusal.strip():
                answer.refused = "refusal"
                answer.text = answer.text or text_of(refusal)
