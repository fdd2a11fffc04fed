"""A web side that has used all there is before it forks, and is asked again in each child.

`python web_side.py WAY` forks by itself; `application` is for gunicorn and uWSGI. In the
environment: REDIS_URL, and USED if it is used before the fork.
"""

import asyncio
import ctypes
import multiprocessing
import os
import sys
import threading
import traceback

import psutil

from producer import complete

CHILDREN = 2
WAYS = ("os.fork", "fork of C", "multiprocessing fork", "multiprocessing spawn", "a pool")


def words(text):
    return [{"role": "user", "content": text}]


def question(text):
    return complete.delay(words(text), "u")


def got(text):
    job = question(text)
    return job.id, job.get(timeout=30)["request_id"]


def valued(text):
    job = question(text)
    return job.id, job.value(30).request_id


async def _awaited(text):
    job = await asyncio.to_thread(question, text)
    return job.id, (await asyncio.wait_for(_wait(job), 30)).request_id


async def _wait(job):
    return await job


def awaited(text):
    return asyncio.run(_awaited(text))


def many(text):
    jobs = complete.many([words(f"{text} {n}") for n in range(3)], "u")
    return [job.id for job in jobs], [job.value(30).request_id for job in jobs]


ASKED = {"get": got, "value": valued, "await": awaited, "many": many}


def use(name, times=1):
    """Raises AssertionError for an answer that is another job's."""
    for n in range(times):
        for way, ask in ASKED.items():
            mine, answered = ask(f"{name} {way} {n}")
            assert mine == answered, way


def in_threads(count, name):
    failures = []

    def run(number):
        try:
            use(f"{name} {number}")
        except BaseException:
            failures.append(traceback.format_exc())

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []


def to_redis(pid=None):
    """Own ports of a process's connections to Redis."""
    port = int(os.environ["REDIS_URL"].rpartition(":")[2].partition("/")[0])
    found = psutil.Process(pid).net_connections("tcp")
    return {each.laddr.port for each in found if each.raddr and each.raddr.port == port}


def child(name, of_parent, told=True):
    """`told`: Python knows that it was forked, and has begun anew before it was used."""
    assert not told or not of_parent & to_redis(), "it has its parent's sockets"
    in_threads(2, name)
    assert not of_parent & to_redis(), "it has kept its parent's sockets"


def as_child(number, of_parent, told):
    """As the whole of a forked process: its exit status."""
    try:
        child(f"child {number}", of_parent, told)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def forked(fork, of_parent, told=True):
    pids = []
    for number in range(CHILDREN):
        pid = fork()
        if not pid:
            as_child(number, of_parent, told)
        pids.append(pid)
    return [os.waitpid(pid, 0)[1] for pid in pids]


def processes(method, of_parent):
    context = multiprocessing.get_context(method)
    started = [
        context.Process(target=child, args=(f"{method} {n}", of_parent)) for n in range(CHILDREN)
    ]
    for each in started:
        each.start()
    in_threads(2, "parent meanwhile")
    for each in started:
        each.join()
    return [each.exitcode for each in started]


def pooled(of_parent):
    with multiprocessing.get_context("fork").Pool(CHILDREN) as pool:
        pool.starmap(child, [(f"pool {n}", of_parent) for n in range(CHILDREN)])
    return [0]


def main(way):
    in_threads(4, "before")
    early = question("of the parent, read in each child")
    of_parent = to_redis()
    assert of_parent
    match way:
        case "os.fork":
            statuses = forked(os.fork, of_parent)
        case "fork of C":  # as uWSGI's: Python is not told
            statuses = forked(ctypes.PyDLL(None).fork, of_parent, told=False)
        case "a pool":
            statuses = pooled(of_parent)
        case _:
            statuses = processes(way.split()[1], of_parent)
    in_threads(2, "after")
    assert early.get(timeout=30)["request_id"] == early.id
    assert not any(statuses), statuses


def application(environ, start_response):
    """/get, /value, /await or /many."""
    mine, answered = ASKED[environ["PATH_INFO"].strip("/")]("asked")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"right" if mine == answered else b"wrong"]


if __name__ == "__main__":
    main(sys.argv[1])
elif os.environ.get("USED"):
    in_threads(2, "before the fork")
