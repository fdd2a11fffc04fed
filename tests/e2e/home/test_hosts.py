"""Tasks of a project's own Celery app and completions as steps of one canvas.

The project has our short names itself, a default queue, a serializer and a config module of its
own; both workers run in its folder.
"""

import pytest
from redis import Redis
from support.host import host
from support.ledger import until


def shown(project):
    """Prompts in the logs of both, but for what Celery says of their own tasks."""
    lines = (project.theirs.log() + project.ours.log()).splitlines()
    said = [line for line in lines if "SECRET" in line or "HIDDEN" in line]
    return [line for line in said if "Task theirs." not in line]


def stored(url):
    """All that a server has."""
    with Redis.from_url(url) as redis:
        for key in redis.scan_iter("*"):
            kind = redis.type(key)
            if kind == b"string":
                yield redis.get(key)
            elif kind == b"list":
                yield from redis.lrange(key, 0, -1)
            elif kind == b"hash":
                yield from redis.hvals(key)


ONE_REDIS = """
one = question.s("one") | complete.s(user_id="ann")
told["theirs, ours"] = one.apply_async().get(30)["text"]
told["ours, theirs"] = (complete.s(ask("two"), "ann") | shout.s()).apply_async().get(30)
told["both"] = (question.s("three") | complete.s(user_id="ann") | shout.s()).apply_async().get(30)
def mixed():
    return [complete.s(ask("four"), "ann"), seven.si(), complete.s(ask("5"), "ann")]

told["chord"] = chord(mixed())(count.s()).get(30)
told["chord of ours"] = chord([complete.s(ask("six"), "ann")] * 2)(count.s()).get(30)
asked = chain(group(seven.si(), seven.si()), complete.si(ask("eight"), "ann"))
told["chord to ours"] = asked.apply_async().get(30)["text"]
told["link"] = complete.apply_async((ask("nine"), "ann"), link=shout.s().set(task_id="linked")).id
told["linked"] = app.AsyncResult("linked").get(30)
told["replaced"] = replaced.delay("ten").get(30)["text"]
told["replaced, theirs"] = (replaced.s("11") | shout.s()).apply_async().get(30)
sent = app.send_task("completions.complete", (ask("twelve"), "ann"))
told["send_task"] = sent.get(30)["text"]
told["group"] = [bool(each) for each in group(mixed()).apply_async().get(30)]
told["theirs first"] = group(seven.si(), complete.s(ask("13"), "ann")).apply_async().get(30)[0]
due = {"task": "completions.complete", "schedule": 60.0, "args": (ask("15"), "ann")}
app.conf.beat_schedule = {"digest": due}
beat = Scheduler(app=app)
told["beat"] = beat.apply_async(beat.schedule["digest"]).get(30)["text"]
mapped = app.tasks["completions.complete"].starmap([(ask("14"), "ann")] * 2)
told["mapped by theirs"] = [bool(each["text"]) for each in mapped.apply_async().get(30)]
other = Celery("other", broker=app.conf.broker_url, set_as_current=False)
lost = other.send_task("completions.complete", (ask("lost"), "ann"), queue="theirs")
told["came to theirs"] = complete.AsyncResult(lost.id).get(30)["text"]
app.conf.task_serializer = "json"
app.control.broadcast("shutdown", destination=["celery@ours"])
told["pinged"] = [name for reply in app.control.ping(timeout=1) for name in reply]
told["answered"] = complete.delay(ask("still"), "ann").value(30).finish_reason
"""

TWO_SERVERS = """
def refusal(call):
    try:
        call()
    except errors.InvalidRequest as error:
        return str(error)

one = question.s("one") | complete.s(user_id="ann")
told["theirs, ours"] = one.apply_async().get(30)["text"]
told["send_task"] = app.send_task("completions.complete", (ask("2"), "ann")).get(30)["text"]
told["chord of ours"] = chord([complete.s(ask("3"), "ann")] * 2)(complete.si(ask("4"), "b")).id
told["joined"] = complete.AsyncResult(told["chord of ours"]).get(30)["text"]
told["after"] = refusal((complete.s(ask("5"), "ann") | shout.s()).apply_async)
told["link"] = refusal(lambda: complete.apply_async((ask("6"), "ann"), link=shout.s()))
mixed = chord([seven.si(), complete.s(ask("7"), "ann")])
told["chord"] = refusal(lambda: mixed(complete.si(ask("8"), "ann")))
told["replaced"] = type(replaced.delay("9").get(30, propagate=False)).__name__
"""

EAGER = """
assert app.conf.task_always_eager
told["chain"] = (question.s("one") | complete.s(user_id="ann") | shout.s()).apply_async().get(30)
told["apply"] = complete.s(ask("two"), "ann").apply().get()["text"]
told["delay"] = complete.delay(ask("three"), "ann").value(30).text
"""


def test_each_form_of_canvas_on_one_redis(redis_url, tmp_path):
    """Nothing of a prompt is in their worker's log, and no message is left."""
    env = {"REDIS_URL": redis_url, "THEIR_BROKER": redis_url, "THEIR_RESULTS": redis_url}
    with host(tmp_path, env) as project:
        told = project.told(ONE_REDIS)
        for name, word in {
            "theirs, ours": "one",
            "ours, theirs": "TWO",
            "both": "THREE",
            "chord to ours": "eight",
            "linked": "NINE",
            "replaced": "ten",
            "replaced, theirs": "11",
            "send_task": "twelve",
            "came to theirs": "lost",
            "beat": "15",
        }.items():
            assert word in told[name], (name, told[name])
        assert told["chord"][1] == 7
        assert len(told["chord"]) == 3
        assert len(told["chord of ours"]) == 2
        assert told["group"] == [True] * 3
        assert told["theirs first"] == 7
        assert told["mapped by theirs"] == [True] * 2
        assert told["pinged"] == ["celery@theirs"]
        assert told["answered"] == "stop"
        with Redis.from_url(redis_url) as redis:
            until(lambda: not redis.hlen("unacked") and not redis.hlen("cc.unacked"))
            assert [redis.llen(name) for name in ("theirs", "celery")] == [0, 0]
        assert shown(project) == []
        assert "unregistered" not in project.theirs.log()


@pytest.mark.faults
def test_across_servers_as_far_as_celery_can(redis_url, own_valkey, tmp_path):
    """The rest is refused with the reason, and not lost or waited for."""
    theirs = own_valkey.url()
    env = {"REDIS_URL": redis_url, "THEIR_BROKER": theirs, "THEIR_RESULTS": theirs}
    with host(tmp_path, env) as project:
        told = project.told(TWO_SERVERS)
        for name, word in {"theirs, ours": "one", "send_task": "2", "joined": "4"}.items():
            assert word in told[name], (name, told[name])
        assert (
            "theirs.shout after a completion: your Celery app has another broker" in told["after"]
        )
        assert "another broker" in told["link"]
        assert "chord: your Celery app has another result backend" in told["chord"]
        assert told["replaced"] == "InvalidRequest"
        assert shown(project) == []
        found = list(stored(theirs))
        assert found
        assert [each for each in found if b"HIDDEN" in each] == []


@pytest.mark.faults
def test_eager_steps_wait_for_a_worker(redis_url, tmp_path):
    env = {"REDIS_URL": redis_url, "THEIR_BROKER": redis_url, "THEIR_RESULTS": redis_url}
    with host(tmp_path, env) as project:
        told = project.told(EAGER, EAGER="1")
        assert "ONE" in told["chain"]
        assert "two" in told["apply"]
        assert "three" in told["delay"]


@pytest.mark.faults
def test_an_app_that_does_not_know_us_loses_and_prints_nothing(redis_url, tmp_path):
    """Its worker sends the next step to a queue of ours."""
    from support.host import THEIRS

    env = {"REDIS_URL": redis_url, "THEIR_BROKER": redis_url, "THEIR_RESULTS": redis_url}
    unaware = THEIRS.replace("integrate(app)", "")
    code = """
one = question.s("one") | complete.s(user_id="ann")
told["theirs, ours"] = one.apply_async().get(30)["text"]
"""
    with host(tmp_path, env, **{"theirs.py": unaware}) as project:
        assert "one" in project.told(code)["theirs, ours"]
        assert shown(project) == []
