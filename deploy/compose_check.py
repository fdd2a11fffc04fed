"""`make compose-check`: builds the image, starts docker-compose.yml, and checks its promises.

Every container is healthy and ours are locked down. A job is answered; Flower shows it, in headless
Chromium where there is one. Each container is killed in turn while jobs run: no job is lost, and
afterwards all is as before. Everything is taken down again, volumes too. Without a container engine
it says so and exits with 0.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOGIN = "check:compose-check-password"
PROJECT = "completions-check"
OURS = ("worker", "http", "flower")
JOBS = 30
LOCKED = """
test "$(id -u)" != 0
grep -Eq "^[^ ]+ / [^ ]+ ro," /proc/mounts
grep -Eq "^CapBnd:.0+$" /proc/1/status
grep -Eq "^NoNewPrivs:.1$" /proc/1/status
"""
CHROMIUM = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--virtual-time-budget=15000 --dump-dom"
)
SUBMIT = f"""
import sys, producer
ask = lambda n: [{{"role": "user", "content": f"{{sys.argv[1]}} {{n}} [[sim:latency_ms=3000]]"}}]
for n in range({JOBS}):
    producer.complete.apply_async((ask(n), "check"), task_id=f"{{sys.argv[1]}}-{{n}}")
"""
COLLECT = f"""
import sys, producer
jobs = [producer.complete.AsyncResult(f"{{sys.argv[1]}}-{{n}}") for n in range({JOBS})]
print(sum(bool(job.value(120).text) for job in jobs))
"""


def main() -> None:
    compose, engine = tools()
    env = os.environ | {"COMPOSE_PROJECT_NAME": PROJECT}
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(compose, engine, copied(Path(folder)), env)
        try:
            stack.check()
        finally:
            stack.compose("down", "-v", "-t", "5", check=False)
    print("compose-check: all well")


def tools() -> tuple[list[str], str]:
    """How to call compose, and the engine. Ends here with 0 if there is none."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "info"], capture_output=True).returncode == 0:
        return [docker, "compose"], docker
    podman = shutil.which("podman")
    compose = shutil.which("podman-compose")
    if podman and compose:
        return [compose], podman
    print(
        "compose-check: SKIPPED: no container engine answers "
        "(looked for docker, and for podman with podman-compose)"
    )
    sys.exit(0)


def copied(folder: Path) -> Path:
    """The files of the build in another folder, with a .env that has Flower's login and no key."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in names:
        if not name.startswith(("tests/", "benchmarks/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / ".env").write_text(f"FLOWER_BASIC_AUTH={LOGIN}\n")
    return folder


class Stack:
    def __init__(self, compose: list[str], engine: str, folder: Path, env: dict[str, str]) -> None:
        self._compose, self._engine, self._folder, self._env = compose, engine, folder, env
        self._podman = Path(engine).name == "podman"

    def check(self) -> None:
        step("build")
        # Podman's own format has no HEALTHCHECK; its build may have no network but the host's.
        self.compose(
            *(["--podman-build-args=--format=docker --network=host"] if self._podman else []),
            "build",
        )
        step("start from nothing, without keys")
        self.compose("up", "-d", "--no-build")
        until("the fleet is ready", lambda: get(":8000/ready")[0] == 200, 120)
        self.all_healthy()
        for service in OURS:
            self.inside(service, "sh", "-exc", LOCKED)
        step("a job is answered")
        answer = self.inside("worker", "completions", "ask", "What is Celery?", "--user", "check")
        assert answer.strip(), "no answer"
        self.submit("first")
        assert self.collected("first") == JOBS
        step("Flower shows it only with a login")
        for path in (":5555/tasks", ":5555/metrics", ":5555/api/tasks"):
            assert get(path)[0] == 401, f"{path} needs no login"
        until("Flower knows the job", lambda: seen_by_flower("first-0"), 60)
        self.browse()
        for service in (*OURS, "valkey"):
            step(f"kill {service} while jobs run")
            self.submit(service)
            until("jobs run", jobs_run, 10)
            self._run([self._engine, "kill", "--signal", "KILL", self.container(service)])
            self._run([self._engine, "start", self.container(service)])
            assert self.collected(service) == JOBS, f"jobs were lost when {service} was killed"
        step("all is as before")
        self.submit("last")
        assert self.collected("last") == JOBS
        until("Flower knows new jobs", lambda: seen_by_flower("last-0"), 60)
        assert seen_by_flower("first-0"), "Flower forgot what it had seen"
        self.all_healthy()

    def browse(self) -> None:
        """The page as a person sees it, in a real browser, if there is one."""
        browser = shutil.which("chromium") or shutil.which("chromium-browser")
        if not browser:
            print("  (no chromium: the page is not looked at in a browser)")
            return
        # The list is drawn by its script, newest first and a page of it; a task's page comes drawn.
        for page, job in (("tasks", "first-"), ("task/first-0", "first-0")):
            with tempfile.TemporaryDirectory() as profile:
                command = [
                    browser,
                    *CHROMIUM.split(),
                    f"--user-data-dir={profile}",
                    f"http://{LOGIN}@127.0.0.1:5555/{page}",
                ]
                shown = subprocess.run(command, capture_output=True, text=True, timeout=90).stdout
            for text in ("completions.complete", job, "SUCCESS"):
                assert text in shown, f"Flower's page {page} does not show {text}"

    def all_healthy(self) -> None:
        """By their healthchecks."""
        for service in (*OURS, "valkey"):
            until(f"{service} is healthy", lambda service=service: self.healthy(service), 120)

    def healthy(self, service: str) -> bool:
        container = self.container(service)
        if self._podman:  # which never runs a healthcheck by itself where there is no systemd
            self._run([self._engine, "healthcheck", "run", container], check=False)
        return (
            self._run(
                [self._engine, "inspect", "--format", "{{.State.Health.Status}}", container]
            ).strip()
            == "healthy"
        )

    def submit(self, name: str) -> None:
        self.inside("http", "python", "-c", SUBMIT, name)

    def collected(self, name: str) -> int:
        """How many of its jobs were answered; waits for them."""
        until("the ledger answers", lambda: get(":8000/ready")[0] == 200, 120)
        return int(self.inside("http", "python", "-c", COLLECT, name).split()[-1])

    def inside(self, service: str, *command: str) -> str:
        return self._run([self._engine, "exec", self.container(service), *command])

    def container(self, service: str) -> str:
        labels = [
            f"label=com.docker.compose.project={PROJECT}",
            f"label=com.docker.compose.service={service}",
        ]
        filters = [argument for label in labels for argument in ("--filter", label)]
        return self._run([self._engine, "ps", "-aq", *filters]).split()[0]

    def compose(self, *arguments: str, check: bool = True) -> str:
        return self._run([*self._compose, *arguments], check)

    def _run(self, command: list[str], check: bool = True) -> str:
        done = subprocess.run(
            command, cwd=self._folder, env=self._env, capture_output=True, text=True, timeout=900
        )
        if check and done.returncode:
            words = " ".join(command[:4])
            output = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            sys.exit(f"compose-check: {words} ... failed:\n{output}")
        return done.stdout


def step(text: str) -> None:
    print(f"compose-check: {text}", flush=True)


def get(path: str, login: str = "") -> tuple[int, str]:
    """Status and text of a page of the host's loopback; 0 without a listener."""
    request = urllib.request.Request(f"http://127.0.0.1{path}")
    if login:
        passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
        passwords.add_password(None, request.full_url, *login.split(":"), is_authenticated=True)
        opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
    else:
        opener = urllib.request.build_opener()
    try:
        with opener.open(request, timeout=10) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def jobs_run() -> bool:
    found = re.search(r"^completions_jobs_open (\S+)$", get(":8000/metrics")[1], re.MULTILINE)
    return found is not None and float(found[1]) > 0


def seen_by_flower(job: str) -> bool:
    return '"SUCCESS"' in get(f":5555/api/task/info/{job}", LOGIN)[1]


def until(what: str, condition: Callable[[], bool], timeout_s: float) -> None:
    give_up = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > give_up:
            sys.exit(f"compose-check: {what}: not within {timeout_s:.0f} s")
        time.sleep(0.5)


if __name__ == "__main__":
    main()
