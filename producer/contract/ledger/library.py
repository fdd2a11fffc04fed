"""The ledger's functions as one library for `FUNCTION LOAD`, assembled from the modules in `lua/`
and the functions in `functions/`. It never imports redis.

The library's name and those of its functions carry a hash of its content and of the prefix of its
keys, so that two versions, or two fleets, live side by side in one server.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable

MODULES = (
    "call",
    "keys",
    "checks",
    "args",
    "config",
    "uptime",
    "counters",
    "jobs",
    "payers",
    "requests",
    "outcomes",
    "overrides",
    "buckets",
    "call_counts",
    "brakes",
    "pace",
    "room",
    "evidence",
    "circuits",
    "grants",
    "feedback",
    "lanes",
    "caps",
    "rings",
    "waiting",
    "open_jobs",
    "capacity",
    "clock",
    "batches",
    "calendar",
    "windows",
    "budgets",
    "standings",
    "limits",
    "first_limits",
    "fleet_settings",
    "usage",
    "held_lines",
    "risks",
    "charges",
    "possible_bills",
    "bookings",
    "bills",
    "attempts",
    "outages",
    "free_links",
    "choices",
    "probes",
    "cached",
    "dead_letters",
    "hurt_users",
    "stored_texts",
    "documents",
    "retention",
    "ending",
    "reports",
    "queues",
    "publications",
    "rotation",
    "heads",
    "dispatch",
    "submissions",
    "near",
    "libraries",
    "registry",
)
"""In the order in which they build on each other: a module uses only those before it."""


READ_ONLY = ("describe", "status", "batch_progress", "near_look")
"""Functions that write nothing: they run on a replica, too."""

EMPTYING = (
    "snapshot",
    "forget_jobs",
    "batch_forget",
    "batch_change",
    "reset_limits",
    "reassign_usage",
    "forgive",
    "budget_left",
    "limits_left",
)
"""Functions by which a full server is watched and emptied."""

NEEDED_WHEN_FULL = ("settle", "park", "sweep", "renew", "heartbeat", "cancel", "take", *EMPTYING)
"""Functions that run although the server is over `maxmemory`: they end work and free memory, and an
answer that is paid for must not be lost. The others are refused as a whole then.
"""

_FRAME = """#!lua name={name}
local function build()
{body}return functions, registry.run
end
-- Built at the first call: while a library is loaded, Lua's own libraries are out of reach.
local functions, run
local function answer(name, keys, args)
  if not run then
    functions, run = build()
  end
  return run(functions, name, keys, args)
end
"""

_REGISTRATION = """redis.register_function{{
  function_name = '{name}_{version}',
  callback = function(keys, args) return answer('{name}', keys, args) end,
  flags = {{ {flags} }},
}}
"""


@dataclass(frozen=True)
class Library:
    """`text` is what `FUNCTION LOAD` takes."""

    name: str
    version: str
    text: str

    def function(self, name: str) -> str:
        """Under which name the server knows a function of this version."""
        return f"{name}_{self.version}"


@cache
def library(prefix: str) -> Library:
    """The library of the fleet whose keys begin with `prefix`."""
    names = _function_names()
    modules = "".join(_module(name) for name in MODULES)
    functions = "".join(_function(name) for name in names)
    body = f"{modules}local functions = {{}}\n{functions}"
    version = sha256(f"{prefix}\n{body}".encode()).hexdigest()[:16]
    name = f"completions_{version}"
    registrations = "".join(_registration(each, version) for each in ["describe", *names])
    return Library(name, version, _FRAME.format(name=name, body=body) + registrations)


def _registration(name: str, version: str) -> str:
    flags = ""
    if name in READ_ONLY:
        flags = "'no-writes'"
    elif name in NEEDED_WHEN_FULL:
        flags = "'allow-oom'"
    return _REGISTRATION.format(name=name, version=version, flags=flags)


def _function_names() -> list[str]:
    files = (each.name for each in _folder("functions").iterdir())
    return sorted(name.removesuffix(".lua") for name in files if name.endswith(".lua"))


def _module(name: str) -> str:
    return f"local {name} = (function()\n{_read('lua', name)}end)()\n"


def _function(name: str) -> str:
    return f"functions.{name} = (function()\n{_read('functions', name)}end)()\n"


def _read(folder: str, name: str) -> str:
    return _folder(folder).joinpath(f"{name}.lua").read_text(encoding="utf-8")


def _folder(name: str) -> Traversable:
    return resources.files(__package__).joinpath(name)
