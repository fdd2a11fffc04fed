"""How servers that speak OpenAI's chat completions differ, where no general rule helps. Data.

A link's dialect is what LLM_LINK_<NAME>_DIALECT says, or is guessed: by the host of its base URL,
else by the link's name, else by the port.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from ..settings import Link

LimitField = Literal["max_tokens", "max_completion_tokens"]


class Dialect(NamedTuple):
    """Without a row of its own, a server is asked in what nearly all of them know. Of the output
    limit that is the old name: a name that is refused costs nothing, one that is ignored does.
    """

    hosts: tuple[str, ...] = ()
    """Its servers' own, or what these end with."""
    port: int = 0
    """Where it listens unless told otherwise; 0: not known for any."""
    limit_field: LimitField = "max_tokens"
    developer: bool = False
    """Whether it knows the role; if not, such a message is sent as one of "system"."""
    names: bool = True
    """Whether a message may have a name; if not, it is left out."""
    short_ids: bool = False
    """Whether ids of tool calls must be nine letters and digits."""
    bare_thoughts: bool = False
    """Whether it hands on the model's own text, so that a `<think>` at its beginning is the
    model's, whatever its name.
    """
    plain_texts: bool = False
    """Whether the marks of chat templates (`<|im_end|>`) in a text are text to it. A server that
    fills a template with the texts may take them for another speaker.
    """
    refusals: bool = False
    """Whether it knows a refusal in a message, and marks for its cache; if not, that is text."""
    cache_marks: bool = False
    """Whether a part may have Anthropic's `cache_control`."""
    thoughts_back: str = ""
    """The field in which it wants back what an answer of it thought; none: it wants none."""
    reasoning_apart: bool = False
    """Whether `completion_tokens` leave out the reasoning."""
    vendor: bool = False
    """Whether OpenAI's own models are there, and what is known of them holds."""
    lacks: frozenset[str] = frozenset()
    """Parameters that it refuses or does not heed."""
    renamed: Mapping[str, str] = {}
    """Parameters that it has under another name."""
    identifier: str = ""
    """The name under which it is told who asks; "": it is told nothing of its own accord."""


_VENDORS_OWN = frozenset(
    {"web_search_options", "prediction", "verbosity", "service_tier", "prompt_cache_key", "store"}
)
"""What only a vendor's own service can have."""
_OWN_SERVER = _VENDORS_OWN | {"user", "safety_identifier"}


DIALECTS = {
    # pydantic/pydantic-ai#1205: its reasoning models refuse max_tokens.
    "openai": Dialect(
        ("api.openai.com",),
        limit_field="max_completion_tokens",
        developer=True,
        plain_texts=True,
        refusals=True,
        vendor=True,
        lacks=frozenset({"top_k"}),
        identifier="safety_identifier",
    ),
    # The same models under the customer's own host names.
    "azure": Dialect(
        ("openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com"),
        limit_field="max_completion_tokens",
        developer=True,
        plain_texts=True,
        refusals=True,
        vendor=True,
        lacks=frozenset({"top_k", "web_search_options"}),
        identifier="user",
    ),
    # vercel/ai#12425, UKGovernmentBEIS/inspect_ai#5528: how its reasoning is counted.
    # docs.x.ai: logit_bias is not supported.
    "xai": Dialect(
        ("api.x.ai",),
        limit_field="max_completion_tokens",
        reasoning_apart=True,
        lacks=_VENDORS_OWN | {"top_k", "logit_bias"},
        identifier="user",
    ),
    # console.groq.com/docs/openai: 400 for a message with a name, for logprobs, logit_bias, n > 1.
    "groq": Dialect(
        ("api.groq.com",),
        limit_field="max_completion_tokens",
        names=False,
        bare_thoughts=True,
        lacks=(_VENDORS_OWN - {"service_tier"})
        | {"top_k", "logprobs", "top_logprobs", "logit_bias", "n"},
        identifier="user",
    ),
    # yazinsai/OpenOats#319: 422 for max_completion_tokens. Gage-Technologies/mistral-go#3: for a
    # name. anomalyco/opencode#1680: 400 for other ids.
    # docs.mistral.ai/api: 422 for fields that are not listed there.
    "mistral": Dialect(
        ("api.mistral.ai",),
        names=False,
        short_ids=True,
        lacks=(_OWN_SERVER - {"prediction"})
        | {"top_k", "logprobs", "top_logprobs", "logit_bias", "reasoning_effort"},
        renamed={"seed": "random_seed"},
    ),
    # earendil-works/pi#1048: 400 for the role "developer". pydantic/pydantic-ai#3570: its thinking
    # models refuse a conversation with calls whose thoughts are not there.
    # api-docs.deepseek.com: Create Chat Completion.
    "deepseek": Dialect(
        ("api.deepseek.com",),
        thoughts_back="reasoning_content",
        lacks=_OWN_SERVER | {"top_k", "n", "seed", "logit_bias", "parallel_tool_calls"},
    ),
    # openrouter.ai/docs: "Preserving reasoning blocks", "Prompt caching".
    "openrouter": Dialect(
        ("openrouter.ai",),
        cache_marks=True,
        thoughts_back="reasoning_details",
        identifier="user",
    ),
    # ollama/ollama#7125: max_completion_tokens is ignored.
    # Its docs, "OpenAI compatibility": tool_choice, logit_bias, user and n are not supported.
    "ollama": Dialect(
        port=11434,
        bare_thoughts=True,
        lacks=_OWN_SERVER | {"tool_choice", "parallel_tool_calls", "logit_bias", "n", "top_k"},
    ),
    # abetlen/llama-cpp-python#1907: max_completion_tokens is ignored.
    "llamacpp": Dialect(port=8080, bare_thoughts=True, lacks=_OWN_SERVER),
    # voideditor/void#128: 400 for max_completion_tokens, in its older versions.
    "vllm": Dialect(port=8000, bare_thoughts=True, lacks=_OWN_SERVER),
    # sgl-project/sglang#14304: 400 for the role "developer".
    "sglang": Dialect(port=30000, bare_thoughts=True, lacks=_OWN_SERVER),
    "lmstudio": Dialect(port=1234, bare_thoughts=True, lacks=_OWN_SERVER),
    "tgi": Dialect(bare_thoughts=True, lacks=_OWN_SERVER | {"top_k", "n"}),
    "compatible": Dialect(),
}
"""Name -> how it differs. Above each row: where that is reported."""


def dialect_of(link: Link) -> str:
    """The name of the dialect that the link's server speaks, as stated or as guessed."""
    return link.dialect or _guessed(link.provider, link.base_url or "")


@lru_cache(maxsize=256)
def _guessed(provider: str, base_url: str) -> str:
    url = urlsplit(base_url)
    host = url.hostname or ""
    for name, dialect in DIALECTS.items():
        if any(f".{host}".endswith(f".{own}") for own in dialect.hosts):
            return name
    named = provider.partition("-")[0]
    if named in DIALECTS and named != "openai":
        return named
    for name, dialect in DIALECTS.items():
        if url.port and url.port == dialect.port:
            return name
    # OpenAI itself, or what an operator has put in its place.
    return "openai" if named == "openai" else "compatible"
