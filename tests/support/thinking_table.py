"""What `reasoning_effort` is on the wire of each API, model by model."""

from support.parameter_rows import MODELS, SENT, TOOL, Row, config


def think(kind="adaptive", **effort):
    found = {"thinking": {"type": kind}}
    return found | ({"output_config": effort} if effort else {})


THINKERS = {
    "openai": "gpt-5.4-mini",
    "anthropic": "claude-sonnet-5-5",
    "gemini": "gemini-3.8-flash",
}
OLD_THINKERS = {"openai": "gpt-5-mini", "anthropic": "claude-haiku-4-5", "gemini": "gemini-2.5-pro"}
ALL_OFF = {"openai": "o3", "anthropic": "claude-haiku-4-5", "gemini": "gemini-2.5-flash"}


def effort(value, openai, anthropic, gemini, models=THINKERS, **beside):
    beside = {"max_tokens": 4000} | beside
    asked = {"reasoning_effort": value}
    return Row(asked, openai, anthropic, gemini, models, beside)


def budget(tokens):
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}


THINKING = [
    effort("none", SENT, think("disabled"), "refused: cannot be turned off"),
    effort(
        "minimal",
        {"reasoning_effort": "low"},
        think(effort="low"),
        config(thinkingConfig={"thinkingLevel": "MINIMAL"}),
    ),
    effort("low", SENT, think(effort="low"), config(thinkingConfig={"thinkingLevel": "LOW"})),
    effort(
        "medium", SENT, think(effort="medium"), config(thinkingConfig={"thinkingLevel": "MEDIUM"})
    ),
    effort("high", SENT, think(effort="high"), config(thinkingConfig={"thinkingLevel": "HIGH"})),
    effort("xhigh", SENT, think(effort="xhigh"), config(thinkingConfig={"thinkingLevel": "HIGH"})),
    effort(
        "max",
        {"reasoning_effort": "xhigh"},
        think(effort="max"),
        config(thinkingConfig={"thinkingLevel": "HIGH"}),
    ),
    effort(
        "none",
        "refused: cannot be turned off",
        think("disabled"),
        "refused: cannot be turned off",
        OLD_THINKERS,
    ),
    effort(
        "minimal", SENT, budget(1024), config(thinkingConfig={"thinkingBudget": 1024}), OLD_THINKERS
    ),
    effort(
        "low", SENT, budget(1024), config(thinkingConfig={"thinkingBudget": 1024}), OLD_THINKERS
    ),
    effort(
        "medium", SENT, budget(3000), config(thinkingConfig={"thinkingBudget": 3000}), OLD_THINKERS
    ),
    effort(
        "max",
        {"reasoning_effort": "high"},
        budget(3000),
        config(thinkingConfig={"thinkingBudget": 3000}),
        OLD_THINKERS,
    ),
    effort(
        "none",
        "refused: cannot be turned off",
        think("disabled"),
        config(thinkingConfig={"thinkingBudget": 0}),
        ALL_OFF,
    ),
    effort(
        "high",
        "refused: does not think",
        "refused: it needs 1,400",
        config(thinkingConfig={"thinkingBudget": 512}),
        MODELS,
        max_tokens=100,
    ),
    effort(
        "none",
        {},
        {},
        {},
        {
            "openai": "gpt-4.1",
            "anthropic": "claude-3-5-haiku-20241022",
            "gemini": "gemini-2.0-flash",
        },
    ),
    effort(
        "high",
        "refused: does not think",
        "refused: does not think",
        "refused: does not think",
        {
            "openai": "gpt-5-chat-latest",
            "anthropic": "claude-3-5-haiku-20241022",
            "gemini": "gemini-2.0-flash",
        },
    ),
    effort(
        "low",
        SENT,
        "refused: forces a call",
        config(thinkingConfig={"thinkingLevel": "LOW"}),
        tools=[TOOL],
        tool_choice="required",
    ),
]
