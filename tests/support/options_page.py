"""docs/options.md from the docstrings of requests and completions.

`PYTHONPATH=.:tests python tests/support/options_page.py > docs/options.md` writes it anew.
"""

import ast
import inspect
import types
from collections.abc import Iterator
from textwrap import dedent
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from producer.contract.completions import Completion, Usage
from producer.contract.parameters import Parameters
from producer.contract.requests import CompletionRequest

SET_BY_OTHERS = ("messages", "document", "plan", "embedding")
HEAD = """# Options and answers

Made from the docstrings of `CompletionRequest` and `Completion` by `tests/support/options_page.py`.
[Requests](requests.md) says what becomes of each parameter at each provider.

## Options of `complete`

By name: `complete.delay(messages, user_id, temperature=0)`. `producer.Options` is their type.
None is as if it was not said.

| option | value | default | meaning |
|---|---|---|---|
"""
ALSO = (
    "| `idempotency_key` | text, up to 255 | - | The same key, user and request within 24 h are "
    "the same job. |\n"
    "| `max_completion_tokens` | whole number | - | OpenAI's newer name of `max_tokens`. |\n"
)
ANSWER = """
## Fields of `Completion`

What `job.value()` and `await job` give. `completion.model_dump()` is a plain dict, which
`json.dumps` takes; `completion.to_openai()` has OpenAI's shape.

| field | value | meaning |
|---|---|---|
"""
USAGE = """
## Fields of `Completion.usage`

| field | value | meaning |
|---|---|---|
"""
MORE = """
Also: `parsed` (the answer as an object, if it is `validated`), `message` (the assistant's turn, for
the next request), and for tests `Completion.fake("text")` ([testing](testing.md)).
"""


def page() -> str:
    options = "".join(
        f"| `{name}` | {kind(field.annotation, field.metadata)} | {default(field)} | {meaning} |\n"
        for name, field, meaning in fields(CompletionRequest, Parameters)
        if name not in SET_BY_OTHERS
    )
    return HEAD + options + ALSO + ANSWER + rows(Completion) + MORE + USAGE + rows(Usage)


def rows(model: type[BaseModel]) -> str:
    return "".join(
        f"| `{name}` | {kind(field.annotation, field.metadata)} | {meaning} |\n"
        for name, field, meaning in fields(model)
    )


def fields(*models: type[BaseModel]) -> Iterator[tuple[str, FieldInfo, str]]:
    """Each with its docstring, in the order in which they are written."""
    for model in models:
        said = docstrings(model)
        for name in said:
            yield name, model.model_fields[name], said[name]


def docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Of all fields that the class itself has; "" for one without."""
    (body,) = ast.parse(dedent(inspect.getsource(model))).body
    found = {}
    for node, after in zip(body.body, [*body.body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign) or node.target.id not in model.model_fields:
            continue
        text = ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            text = " ".join(after.value.value.split())
        found[node.target.id] = text.replace("|", "\\|")
    return found


def default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    return "-" if value in (None, (), {}) else f"`{value}`"


def kind(hint: Any, metadata: Any = ()) -> str:
    """What a value of it is, in words."""
    if get_origin(hint) is Annotated:
        return kind(get_args(hint)[0], [*get_args(hint)[1:], *metadata])
    if get_origin(hint) in (Union, types.UnionType):
        told = [kind(each, metadata) for each in get_args(hint) if each is not type(None)]
        return " or ".join(dict.fromkeys(told))
    if get_origin(hint) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(hint))
    if get_origin(hint) is tuple:
        one, _, _ = kind(get_args(hint)[0]).partition(",")
        return f"list of {one}s{bounds(metadata)}"
    names = {bool: "true or false", int: "whole number", float: "number", str: "text"}
    return names.get(hint, "object") + bounds(metadata)


def bounds(metadata: Any) -> str:
    """Flattened: fields and annotations hold them at several depths."""
    flat = [each for found in metadata for each in [found, *getattr(found, "metadata", ())]]
    lowest = [f"{each.ge:,}" for each in flat if isinstance(each, Ge)]
    lowest += [f"above {each.gt:,}" for each in flat if isinstance(each, Gt)]
    highest = [each.le for each in flat if isinstance(each, Le)]
    highest += [each.lt - 1 for each in flat if isinstance(each, Lt)]
    most = [each.max_length for each in flat if isinstance(each, MaxLen)]
    if lowest and highest and highest[0] < 2**40:
        return f", {lowest[0]} to {highest[0]:,}"
    return f", up to {most[0]:,}" if most else ""


if __name__ == "__main__":
    print(page(), end="")
