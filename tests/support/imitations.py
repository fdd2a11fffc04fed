"""Servers that imitate OpenAI's API with the quirks that they are known for in public.

One HTTP server; each imitation answers under a path of its own, `/<name>/v1/chat/completions`.
"""

import json
from typing import Any, NamedTuple
from urllib.parse import unquote

from support.raw import Asked, RawServer
from support.scripted import http

KEY, MODEL = "sk-right", "small"
TEXT = "Paris."
CITY = {"city": "Paris"}


class Answer(NamedTuple):
    """`body`: an object, or text that is no JSON."""

    status: int
    body: Any


class Imitation:
    """What all of them have in common; the request is judged before it is answered."""

    name = ""
    needs_key = True
    knows_models = True
    told_at_wrong_path = "has no API at http"
    refused: tuple[str, ...] = ()
    """Fields that it does not take."""

    def __init__(self) -> None:
        self.asked: list[dict] = []

    def answer(self, path: str, key: str, request: dict) -> Answer:
        if path != "v1/chat/completions":
            return self.no_such_path(path)
        if self.needs_key and key != KEY:
            return self.wrong_key()
        self.asked.append(request)
        for field in self.refused:
            if field in request:
                return self.unknown_field(field)
        if self.knows_models and request["model"] != MODEL:
            return self.unknown_model(request["model"])
        return Answer(200, self.whole(request))

    def no_such_path(self, path: str) -> Answer:
        raise NotImplementedError

    def wrong_key(self) -> Answer:
        raise NotImplementedError

    def unknown_field(self, field: str) -> Answer:
        raise NotImplementedError

    def unknown_model(self, model: str) -> Answer:
        raise NotImplementedError

    def whole(self, request: dict) -> Any:
        """An answer: a call if there are tools, JSON if a schema is given, else a text."""
        finish = "stop"
        message: dict[str, Any] = {"role": "assistant", "content": TEXT}
        if request.get("tools"):
            name = request["tools"][0]["function"]["name"]
            message = {"role": "assistant", "content": None, "tool_calls": [self.call(name)]}
            finish = "tool_calls"
        elif request.get("response_format"):
            message["content"] = json.dumps(CITY)
        body = {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": request["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        }
        return self.dressed(body)

    def call(self, name: str) -> dict:
        function = {"name": name, "arguments": json.dumps(CITY)}
        return {"id": "call_1", "type": "function", "function": function}

    def dressed(self, body: dict) -> Any:
        """The answer in the server's own manner."""
        return body


class VLLM(Imitation):
    """Lists and nulls beside everything; its errors have no `error` around them."""

    name = "vllm"
    refused = ("max_completion_tokens",)

    def no_such_path(self, path: str) -> Answer:
        return Answer(404, {"detail": "Not Found"})

    def wrong_key(self) -> Answer:
        return Answer(401, {"error": "Unauthorized"})

    def unknown_field(self, field: str) -> Answer:
        said = [{"type": "extra_forbidden", "loc": ["body", field], "msg": "Extra inputs"}]
        return self._error(400, str(said), "BadRequestError")

    def unknown_model(self, model: str) -> Answer:
        return self._error(404, f"The model `{model}` does not exist.", "NotFoundError")

    def _error(self, status: int, message: str, kind: str) -> Answer:
        stated = {"message": message, "type": kind, "param": None, "code": status}
        return Answer(status, {"object": "error"} | stated)

    def dressed(self, body: dict) -> dict:
        choice = body["choices"][0] | {"logprobs": None, "stop_reason": None}
        choice["message"] = {"reasoning_content": None, "tool_calls": []} | choice["message"]
        return body | {"choices": [choice], "prompt_logprobs": None}


class Ollama(Imitation):
    """No keys; calls of tools end with "stop"; reasoning beside the text."""

    name = "ollama"
    needs_key = False

    def no_such_path(self, path: str) -> Answer:
        return Answer(404, "404 page not found")

    def unknown_model(self, model: str) -> Answer:
        stated = {"message": f"model '{model}' not found", "type": "not_found_error"}
        return Answer(404, {"error": stated | {"param": None, "code": None}})

    def call(self, name: str) -> dict:
        return super().call(name) | {"index": 0}

    def dressed(self, body: dict) -> dict:
        choice = body["choices"][0]
        choice["finish_reason"] = "stop"
        choice["message"] = {"reasoning": "Hm."} | choice["message"]
        choice["message"]["content"] = choice["message"]["content"] or ""
        return body | {"system_fingerprint": "fp_ollama"}


class LlamaCpp(Imitation):
    """Loads its model first; has one, whatever is asked for; calls of tools have no ids."""

    name = "llamacpp"
    knows_models = False

    def answer(self, path: str, key: str, request: dict) -> Answer:
        answer = super().answer(path, key, request)
        if len(self.asked) == 1:
            return self._error(503, "Loading model", "unavailable_error")
        return answer

    def no_such_path(self, path: str) -> Answer:
        return self._error(404, "File Not Found", "not_found_error")

    def wrong_key(self) -> Answer:
        return self._error(401, "Invalid API Key", "authentication_error")

    def _error(self, status: int, message: str, kind: str) -> Answer:
        return Answer(status, {"error": {"code": status, "message": message, "type": kind}})

    def call(self, name: str) -> dict:
        return super().call(name) | {"id": ""}

    def dressed(self, body: dict) -> dict:
        return body | {"model": "gguf", "timings": {"prompt_n": 10, "predicted_n": 5}}


class Mistral(Imitation):
    """Takes no field that it does not know; thinks in a list; calls of tools have no type."""

    name = "mistral"
    refused = ("max_completion_tokens", "store", "parallel_tool_calls", "metadata")

    def no_such_path(self, path: str) -> Answer:
        return Answer(404, {"detail": "Not Found"})

    def wrong_key(self) -> Answer:
        return Answer(401, {"detail": "Unauthorized"})

    def unknown_field(self, field: str) -> Answer:
        said = {"type": "extra_forbidden", "loc": ["body", field]}
        said["msg"] = "Extra inputs are not permitted"
        return self._error(422, {"detail": [said]}, "invalid_request_error", None)

    def unknown_model(self, model: str) -> Answer:
        return self._error(400, f"Invalid model: {model}", "invalid_model", "1500")

    def _error(self, status: int, message: object, kind: str, code: str | None) -> Answer:
        stated = {"object": "error", "message": message, "type": kind, "param": None}
        return Answer(status, stated | {"code": code})

    def call(self, name: str) -> dict:
        call = super().call(name) | {"id": "D681PevKs"}
        del call["type"]
        return call

    def dressed(self, body: dict) -> dict:
        message = body["choices"][0]["message"]
        if message["content"] == TEXT:
            thoughts = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
            message["content"] = [thoughts, {"type": "text", "text": TEXT}]
        return body


class OpenRouter(Imitation):
    """Blank lines while it waits; errors with 200; a page at wrong addresses; tells the cost."""

    name = "openrouter"
    told_at_wrong_path = "has a web page, but no API at http"

    def no_such_path(self, path: str) -> Answer:
        return Answer(200, "<!DOCTYPE html><html><title>OpenRouter</title></html>")

    def wrong_key(self) -> Answer:
        return Answer(200, {"error": {"message": "User not found.", "code": 401}})

    def unknown_model(self, model: str) -> Answer:
        return Answer(400, {"error": {"message": f"{model} is not a valid model ID", "code": 400}})

    def dressed(self, body: dict) -> str:
        choice = body["choices"][0] | {"native_finish_reason": "end_turn"}
        choice["message"] |= {"refusal": None, "reasoning": "Hm."}
        usage = body["usage"] | {"cost": 0.00001}
        return "\n\n   \n" + json.dumps(body | {"choices": [choice], "usage": usage})


IMITATIONS = (VLLM, Ollama, LlamaCpp, Mistral, OpenRouter)


class Imitations:
    """Context manager: all of them on one port. `served`: name -> imitation."""

    def __init__(self) -> None:
        self.served = {each.name: each() for each in IMITATIONS}
        self._server = RawServer(self._answer)
        self.url = f"http://127.0.0.1:{self._server.port}"

    def __enter__(self) -> "Imitations":
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    def _answer(self, asked: Asked) -> bytes:
        target = unquote(asked.head.split(" ", 2)[1]).strip("/")
        name, _, path = target.partition("/")
        headers = dict(line.split(": ", 1) for line in asked.head.split("\r\n")[1:])
        lower = {name.lower(): value for name, value in headers.items()}
        key = lower.get("authorization", "").removeprefix("Bearer ")
        answer = self.served[name].answer(path, key, json.loads(asked.body))
        if isinstance(answer.body, str):
            return http(answer.status, answer.body.encode(), [("Content-Type", "text/plain")])
        kind = [("Content-Type", "application/json")]
        return http(answer.status, json.dumps(answer.body).encode(), kind)
