"""What a start takes: a worker with one link to ready, its first answer, a producer's import.

The import is a web app's: in an environment with what the base install brings, and no more. In a
developer's, redis-py loads OpenTelemetry's SDK and psutil beside.
"""

import os
import subprocess
import time
from contextlib import ExitStack

import producer

from .cases import HERE, PROVIDER_S, Bare, Case, cpu_s, rss_mib, text
from .figures import Part
from .rivals import LeftOut, environment
from .setting import Setting

APP = "import of `complete`"
IMPORT = """
from producer import complete
import resource
used = resource.getrusage(resource.RUSAGE_SELF)
pages = int(open("/proc/self/statm").read().split()[1])
print(used.ru_utime + used.ru_stime, pages * resource.getpagesize() / 2**20)
"""


def measure(setting: Setting, part: Part) -> None:
    """On servers that run for a while: after a start of one, no job begins for some seconds."""
    with ExitStack() as stack:
        engine = Bare(stack, setting.folder, setting.provider.url(), 16)
        ours = Case(stack, setting.folder, setting.provider.url(), 16)
        for number in range(-1, setting.rounds):  # the first one is for files and servers
            setting.step("all", number)
            seen = {
                "raw Celery worker": _started(engine, number),
                "our worker": _started(ours, number),
            }
            try:
                seen[APP] = _imported()
            except LeftOut as why:
                part.left_out[APP] = str(why)
            if number >= 0:
                for name, figures in seen.items():
                    part.add(name, figures)


def _started(case: Case, number: int) -> dict[str, float]:
    """`cpu_s` to ready, `first_ms` that its first answer took beyond the provider's time."""
    case.start()
    pid = case.worker.pid
    figures = {"cpu_s": cpu_s(pid), "rss_mib": rss_mib(pid)}
    began = time.perf_counter()
    if isinstance(case, Bare):
        case.delay(text(number)).get(60)
    else:
        case.select()
        producer.complete.delay(text(number), "u", max_tokens=50).value(60)
    figures["first_ms"] = (time.perf_counter() - began - PROVIDER_S) * 1000
    case.worker.stop()
    return figures


def _imported() -> dict[str, float]:
    done = subprocess.run(
        [str(environment("producer") / "python"), "-c", IMPORT],
        env={"PYTHONPATH": str(HERE.parents[1]), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    used, mib = map(float, done.stdout.split())
    return {"cpu_s": used, "rss_mib": mib}
