"""The inside of a child process that does what may take any time or memory.

`children.py` starts, feeds and kills it. Such a program gets no settings and no keys, and speaks on
its standard input, a socket. Whatever its work takes, the kernel ends the process at its limits.
"""

import os
import resource
import signal
import socket
import struct
from collections.abc import Callable
from typing import NamedTuple

LENGTHS = struct.Struct("!cQQ")
"""Of a question: its kind, the bytes of its first part, of its second."""
LENGTH = struct.Struct("!?Q")
"""Of a reply: whether the child should not be asked again, its bytes."""
OUT_OF_MEMORY = 3
"""Exit code."""


class Limits(NamedTuple):
    """What one question may take."""

    cpu_s: float
    """Processor time of all threads."""
    memory_bytes: int
    """Address space. A child that keeps half of it is not asked again."""
    reply_bytes: int
    open_files: int = 16


def serve(answer: Callable[[bytes, bytes, bytes], bytes], limits: Limits) -> None:
    """Answer questions (kind, first part, second part) until their owner is gone."""
    _limit(limits)
    with socket.socket(fileno=os.dup(0)) as owner:
        while head := _received(owner, LENGTHS.size):
            kind, first_bytes, second_bytes = LENGTHS.unpack(head)
            first = _received(owner, first_bytes)
            second = _received(owner, second_bytes)
            signal.setitimer(signal.ITIMER_PROF, limits.cpu_s)  # its signal ends the process
            reply = _answered(answer, kind, first, second)[: limits.reply_bytes]
            signal.setitimer(signal.ITIMER_PROF, 0)
            del first, second
            owner.sendall(LENGTH.pack(_is_large(limits), len(reply)) + reply)


def _answered(
    answer: Callable[[bytes, bytes, bytes], bytes], kind: bytes, first: bytes, second: bytes
) -> bytes:
    try:
        return answer(kind, first, second)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _is_large(limits: Limits) -> bool:
    """False where the system does not say: `getrusage` would tell the owner's size at the start."""
    try:
        with open("/proc/self/statm", "rb") as file:
            pages = int(file.read().split()[1])
    except OSError:
        return False
    return pages * resource.getpagesize() > limits.memory_bytes / 2


def _limit(limits: Limits) -> None:
    """The process's own limits. Those that a system does not have are left out."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # a stop is for the owner, who closes the socket
    most = {
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: limits.open_files,
    }
    for limit, value in most.items():
        try:
            resource.setrlimit(limit, (value, value))
        except (OSError, ValueError):
            continue


def _received(owner: socket.socket, size: int) -> bytes:
    """So many bytes; ends the process if its owner is gone."""
    data = bytearray()
    while len(data) < size:
        piece = owner.recv(min(size - len(data), 1 << 20))
        if not piece:
            raise SystemExit
        data += piece
    return bytes(data)
