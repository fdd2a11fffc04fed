"""Servers that imitate OpenAI's API in their own ways: text, tools and JSON work with each, and a
wrong key, a wrong address and an unknown model are told in one line.
"""

import json

from support.imitations import CITY, IMITATIONS, KEY, MODEL, TEXT, Imitations
from support.ledger import ask

NAMES = [each.name for each in IMITATIONS]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "city", "schema": TOOL["function"]["parameters"], "strict": True},
}
WRONG = {"key": f"key:{MODEL}", "url": f"url:{MODEL}", "model": "model:large"}


def links(url):
    """Each server right, and wrong in each way: the names and the settings of its links."""
    chain, env = [], {}
    for name in NAMES:
        chain.append(f"{name}:{MODEL}")
        chain += [f"{name}-{wrong}" for wrong in WRONG.values()]
        for wrong in ("", "_KEY", "_URL", "_MODEL"):
            prefix = f"LLM_LINK_{name.upper()}{wrong}_"
            path = f"/{name}" if wrong == "_URL" else f"/{name}/v1"
            env[f"{prefix}BASE_URL"] = url + path
            env[f"{prefix}API_KEY"] = "sk-wrong" if wrong == "_KEY" else KEY
    providers = sorted({link.partition(":")[0] for link in chain})
    prices = ",".join(f"{provider}:*=0/0" for provider in providers)
    return env | {"LLM_CHAIN": ",".join(chain), "LLM_PRICES": prices}


def test_compatible_servers(complete, start_worker):
    """With one worker and all links at once."""
    with Imitations() as servers:
        settings = {
            "LLM_MAX_ATTEMPTS": "3",
            "LLM_BACKOFF_SECONDS": "0.05",
            "LLM_CACHE_TTL_SECONDS": "0",
        }
        worker = start_worker(links(servers.url) | settings, concurrency=16)
        for name in NAMES:
            link = f"{name}:{MODEL}"
            text = complete.delay(ask("Capital of France?"), "u", model=link)
            assert text.value(30).text == TEXT
        jobs = {
            name: (
                complete.delay(ask("Weather?"), "u", model=f"{name}:{MODEL}", tools=[TOOL]),
                complete.delay(
                    ask("City as JSON?"), "u", model=f"{name}:{MODEL}", response_format=SCHEMA
                ),
                *(
                    complete.delay(ask("q"), "u", model=f"{name}-{wrong}")
                    for wrong in WRONG.values()
                ),
            )
            for name in NAMES
        }
        for name, (called, structured, *wrong) in jobs.items():
            completion = called.value(30)
            assert completion.finish_reason == "tool_calls", name
            call = completion.tool_calls[0]
            assert call.id
            assert (call.function.name, json.loads(call.function.arguments)) == ("weather", CITY)
            assert json.loads(structured.value(30).text) == CITY
            _told(servers.served[name], dict(zip(WRONG, wrong, strict=True)), worker)
        assert "Traceback" not in worker.log()
        assert KEY not in worker.log()


def _told(server, wrong, worker):
    """In one line of the log, with the link and the fix. What a server cannot tell, it answers."""
    expected = {"url": server.told_at_wrong_path}
    if server.needs_key:
        expected["key"] = "refused its key: HTTP 401"
    if server.knows_models:
        expected["model"] = "does not have the model: HTTP 4"
    for kind, job in wrong.items():
        if kind in expected:
            link = f"{server.name}-{WRONG[kind]}"
            worker.wait_for_log(f"{link} misconfigured: {expected[kind]}")
            job.cancel()
        else:
            assert job.value(30).text == TEXT
