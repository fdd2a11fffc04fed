"""A web side of greenlets: `python green_side.py gevent` (or eventlet). It asks, waits for a line
while the server is away, and asks again.
"""

import sys


def gevent_pool():
    from gevent import monkey

    monkey.patch_all(sys=True)
    from gevent.pool import Pool

    return Pool(30).map


def eventlet_pool():
    import eventlet

    eventlet.monkey_patch()
    pool = eventlet.GreenPool(30)
    return lambda act, items: list(pool.imap(act, items))


in_greenlets = {"gevent": gevent_pool, "eventlet": eventlet_pool}[sys.argv[1]]()

from support.web_side import got, many, to_redis, valued


def ask(number):
    for each in (got, valued, many):
        mine, answered = each(f"{number}")
        assert mine == answered


def go_on(_):
    sys.stdin.readline()


in_greenlets(ask, range(10))
print(len(to_redis()), flush=True)
in_greenlets(go_on, [0])
in_greenlets(ask, range(10, 20))
print(len(to_redis()), flush=True)
