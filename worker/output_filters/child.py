"""The program of a child process that checks answers: `checker.py` starts, feeds and kills it.

It imports nothing of this project, gets no settings and no keys, and speaks on its standard input,
a socket. Whatever a check takes, the kernel ends this process at its limits.
"""

import json
import os
import resource
import signal
import socket
import struct

CPU_S = 0.5
"""Processor time of one check."""
MEMORY_BYTES = 512 * 1024 * 1024
"""Address space."""
MAX_REPLY_BYTES = 2_000
LENGTHS = struct.Struct("!cQQ")
"""Of a question: its kind (S: schema, P: pattern), the bytes of what is wanted, of the answer."""
LENGTH = struct.Struct("!H")
"""Of a reply, in bytes."""


def main() -> None:
    _limit()
    with socket.socket(fileno=os.dup(0)) as owner:
        while head := _received(owner, LENGTHS.size):
            kind, wanted_bytes, text_bytes = LENGTHS.unpack(head)
            wanted = _received(owner, wanted_bytes).decode()
            text = _received(owner, text_bytes).decode("utf-8", "surrogatepass")
            signal.setitimer(signal.ITIMER_PROF, CPU_S)  # its signal ends the process
            found = CHECKS[kind](wanted, text)
            signal.setitimer(signal.ITIMER_PROF, 0)
            reply = found.encode("utf-8", "replace")[:MAX_REPLY_BYTES]
            owner.sendall(LENGTH.pack(len(reply)) + reply)


def check_schema(schema: str, text: str) -> str:
    """Of a text that is to be JSON; `schema` "" = any JSON."""
    try:
        answer = json.loads(text)
    except RecursionError:
        return "is nested too deeply to be checked"
    except ValueError:
        return "is no JSON"
    if not schema:
        return ""
    import jsonschema_rs

    try:
        validator = jsonschema_rs.validator_for(
            json.loads(schema),
            offline=True,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except (ValueError, RecursionError):
        return ""  # not a schema of the standard; the provider accepted it all the same
    try:
        for error in validator.iter_errors(answer):
            path = "/".join(map(str, error.schema_path))
            return f"breaks its schema at /{path}"
    except (ValueError, RecursionError):
        return "is nested too deeply to be checked"
    return ""


def check_pattern(pattern: str, text: str) -> str:
    """As pydantic's `Field(pattern=...)`: Rust's regular expressions, which match somewhere."""
    from pydantic_core import SchemaError, SchemaValidator

    try:
        validator = SchemaValidator({"type": "str", "pattern": pattern})
        validator.validate_python(text)
    except (SchemaError, ValueError):
        return "does not match the expected pattern"
    return ""


CHECKS = {b"S": check_schema, b"P": check_pattern}


def _limit() -> None:
    """The process's own limits. Those that a system does not have are left out."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the worker, which closes the socket
    os.nice(5)
    limits = {
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 16,
    }
    for limit, value in limits.items():
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


if __name__ == "__main__":
    main()
