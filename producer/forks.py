"""What a forked child of this process begins anew: it must not share a socket with its parent.

gunicorn --preload, uWSGI, prefork pools and multiprocessing fork processes that may have used
Redis already. Python tells of a fork (`os.register_at_fork`); uWSGI forks without Python, so who
uses a connection asks once more. Standard library only.
"""

import os
import threading
from collections.abc import Callable

_acts: list[Callable[[], None]] = []
_lock = threading.Lock()
_ready = os.getpid()
"""The process in which nothing of another one is left; 0: a child that has not been used yet."""


def in_each_child(act: Callable[[], None]) -> Callable[[], None]:
    """Have it done in a forked child before anything else; in the order in which they are named.

    Only the thread that forked lives there: no lock of the parent's may be waited for. It may be
    done twice.
    """
    _acts.append(act)
    return act


def notice() -> None:
    """Begin anew if this process is a child that is used for the first time.

    Also if Python has told of the fork: gunicorn's gevent worker patches its locks afterwards.
    """
    global _ready
    if os.getpid() != _ready:
        with _lock:
            if os.getpid() != _ready:
                _begin_anew()
                _ready = os.getpid()


def _begin_anew() -> None:
    for act in _acts:
        act()


def _in_child() -> None:
    global _lock, _ready
    _lock = threading.Lock()
    _ready = 0
    _begin_anew()


os.register_at_fork(after_in_child=_in_child)
