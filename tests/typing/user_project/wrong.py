"""Every line that is marked is an error for both: a mark that is not needed is one itself."""

import asyncio

from producer import Batch, Options, complete, embed, summarize

MESSAGES = [{"role": "user", "content": "hi"}]

complete.delay(MESSAGES)  # type: ignore[call-arg]  # pyright: ignore
complete.delay(MESSAGES, 17)  # type: ignore[arg-type]  # pyright: ignore
complete.delay("hello", "user-1")  # type: ignore[arg-type]  # pyright: ignore
complete.delay(MESSAGES, "user-1", 300)  # type: ignore  # pyright: ignore
complete.delay(MESSAGES, "user-1", temprature=0)  # type: ignore[call-arg]  # pyright: ignore
complete.delay(MESSAGES, "user-1", temperature="0")  # type: ignore[arg-type]  # pyright: ignore
complete.delay(MESSAGES, "user-1", lane="slow")  # type: ignore[arg-type]  # pyright: ignore
complete.delay(MESSAGES, "user-1", max_tokens=1.5)  # type: ignore[arg-type]  # pyright: ignore
complete.delay(MESSAGES, "user-1", plan=True)  # type: ignore[call-arg]  # pyright: ignore
complete.apply_async((MESSAGES, "u", 3))  # type: ignore[arg-type]  # pyright: ignore
complete.apply_async((MESSAGES, "u"), {"max_token": 3})  # type: ignore[arg-type]  # pyright: ignore
complete.apply_async((MESSAGES, "u"), queue="mine")  # type: ignore[call-arg]  # pyright: ignore
complete.s(MESSAGES, modle="fast")  # type: ignore[call-arg]  # pyright: ignore
complete.many([MESSAGES], "user-1", modle="fast")  # type: ignore[call-arg]  # pyright: ignore
complete.many(["hello"], "user-1")  # type: ignore[list-item]  # pyright: ignore
embed.delay(["a text"], "user-1", temperature=0)  # type: ignore[call-arg]  # pyright: ignore
embed.delay([b"a text"], "user-1")  # type: ignore[list-item]  # pyright: ignore
summarize(["a text"], "user-1", max_word=3)  # type: ignore[call-arg]  # pyright: ignore
summarize.delay("a text", "user-1", lane="x")  # type: ignore[arg-type]  # pyright: ignore
Batch.submit([MESSAGES], "user-1", modle="fast")  # type: ignore[call-arg]  # pyright: ignore
complete.dely(MESSAGES, "user-1")  # type: ignore[attr-defined]  # pyright: ignore
complete.AsyncResult("id").vlaue()  # type: ignore[attr-defined]  # pyright: ignore
complete.AsyncResult("id").value("5")  # type: ignore[arg-type]  # pyright: ignore
print(complete.AsyncResult("id").value().txt)  # type: ignore[attr-defined]  # pyright: ignore
print(complete.AsyncResult("id").status.cost_usd)  # type: ignore[attr-defined]  # pyright: ignore
options: Options = {"max_token": 3}  # type: ignore[typeddict-unknown-key]  # pyright: ignore


async def loop() -> None:
    await complete.adelay(MESSAGES, "u", modle="x")  # type: ignore[call-arg]  # pyright: ignore
    await Batch.asubmit([MESSAGES], "u", modle="x")  # type: ignore[call-arg]  # pyright: ignore
    await asyncio.create_task(complete)  # type: ignore[arg-type]  # pyright: ignore
