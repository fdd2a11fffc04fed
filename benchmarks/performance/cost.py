"""What a job costs the worker and the server, beside other ways to make the same call."""

from collections.abc import Callable
from contextlib import ExitStack

from openai import OpenAIError
from redis import Redis

from worker.embedded import EmbeddedValkey

from .cases import CASES, PROVIDER_S, Case, set_ms
from .figures import Part
from .rivals import RIVALS, LeftOut
from .setting import Setting

SLOTS = 200
FAILED = (LeftOut, AssertionError, OpenAIError)
"""Of a rival: it is left out."""


def measure(setting: Setting, part: Part) -> None:
    """Each case has a server and a worker of its own; all run in turn, round by round."""
    jobs = setting.size(1000, 100)
    part.how.update(jobs=jobs, in_flight=SLOTS, provider_s=PROVIDER_S)
    with ExitStack() as stack:
        plain = stack.enter_context(EmbeddedValkey(setting.folder / "plain"))
        client = stack.enter_context(Redis.from_url(plain.url()))
        cases = dict(_started(setting, part, stack))
        for number in range(setting.rounds):
            part.add("SET of 1 KB", {"server_ms": set_ms(client)})
            for name, case in cases.items():
                setting.step(name, number)
                part.add(name, case.run(jobs))


def _started(setting: Setting, part: Part, stack: ExitStack) -> dict[str, Case]:
    cases = {}
    wanted: dict[str, Callable[..., Case]] = {**CASES, **RIVALS}
    for name, of in wanted.items():
        setting.progress.step(f"start, {name}")
        try:
            case = of(stack, setting.folder, setting.provider.url(), SLOTS)
            case.start()
            case.run(SLOTS)  # clients are built, caches filled
        except FAILED as why:
            if name not in RIVALS:
                raise
            part.left_out[name] = str(why).strip().splitlines()[-1]
            continue
        cases[name] = case
    return cases
