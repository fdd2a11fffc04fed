"""A Redis URL in the forms of redis-py, kombu and Celery, and what can be wrong with it."""

import os
import subprocess
import sys

import pytest
from support.nodes import ROOT

from producer.redis_url import RedisUrl
from producer.settings import load
from worker.settings import SettingsError, load_redis


def test_a_plain_url_stays_as_it_is():
    parsed = RedisUrl.parse("redis://user:p%40ss@host:6380/2")
    assert parsed == RedisUrl("redis://user:p%40ss@host:6380/2")
    assert parsed.transport_options(1.0) == {}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("redis://h:1?db=2", "redis://h:1/2"),
        ("redis://h:1/2?db=2&socket_timeout=3", "redis://h:1/2"),
        ("redis://h:1/?health_check_interval=30", "redis://h:1/0"),
        ("redis://u:p%2Fw@[::1]:1/3?protocol=3&max_connections=9", "redis://u:p%2Fw@[::1]:1/3"),
        ("rediss://h:1/0?ssl_cert_reqs=CERT_NONE&decode_responses=true", "rediss://h:1/0"),
    ],
)
def test_options_as_managed_services_write_them_change_nothing_of_ours(given, meant):
    """Celery and kombu would hand them to the wrong place: the first job would raise."""
    assert RedisUrl.parse(given).url == meant
    assert RedisUrl.parse("rediss://h?ssl_cert_reqs=CERT_NONE").ssl == {"ssl_cert_reqs": "none"}


@pytest.mark.parametrize(
    ("given", "meant", "path"),
    [
        (
            "unix:///run/redis.sock",
            "redis+socket:///run/redis.sock?virtual_host=0",
            "/run/redis.sock",
        ),
        ("unix://u:p%40w@/r/s?db=3", "redis+socket://u:p%40w@/r/s?virtual_host=3", "/r/s"),
        ("redis+socket:///r/s?virtual_host=2", "redis+socket:///r/s?virtual_host=2", "/r/s"),
    ],
)
def test_a_socket_in_the_file_system_is_written_as_redis_py_or_celery_has_it(given, meant, path):
    parsed = RedisUrl.parse(given)
    assert (parsed.url, parsed.address, parsed.ssl) == (meant, path, {})


def test_kombu_sees_one_server_whatever_is_in_its_password():
    assert RedisUrl.parse("redis://u:a;b@h:1/0").url == "redis://u:a%3Bb@h:1/0"


def test_a_certificate_is_checked_unless_the_url_says_otherwise(tmp_path):
    """kombu takes a bare rediss:// for "do not check", Celery's backend refuses it."""
    assert RedisUrl.parse("rediss://host/0").ssl == {"ssl_cert_reqs": "required"}
    (tmp_path / "ca.pem").touch()
    parsed = RedisUrl.parse(
        f"rediss://:pw@host:1/0?ssl_ca_certs={tmp_path / 'ca.pem'}&ssl_check_hostname=false"
    )
    expected = {
        "ssl_cert_reqs": "required",
        "ssl_ca_certs": str(tmp_path / "ca.pem"),
        "ssl_check_hostname": False,
    }
    assert (parsed.url, parsed.ssl) == ("rediss://:pw@host:1/0", expected)
    assert RedisUrl.parse("rediss://host/0?ssl_cert_reqs=none").ssl == {"ssl_cert_reqs": "none"}


def test_each_sentinel_has_login_and_database_of_the_whole():
    """kombu takes them from the Sentinel that it talks to."""
    parsed = RedisUrl.parse(
        "sentinel://user:p%3Bw@h1;sentinel://[::1]:26380/3?master_name=ledger&ssl_cert_reqs=none"
    )
    assert parsed.url == "sentinel://user:p%3Bw@h1:26379/3;sentinel://user:p%3Bw@[::1]:26380/3"
    assert (parsed.master, parsed.ssl) == ("ledger", {"ssl_cert_reqs": "none"})
    sentinel = {
        "socket_timeout": 2,
        "socket_connect_timeout": 2,
        "retry": None,
        "ssl": True,
        "ssl_cert_reqs": "none",
    }
    assert parsed.transport_options(2) == {"master_name": "ledger", "sentinel_kwargs": sentinel}


WRONG = [
    ("redis://u:12?hunter2@h:1/0", "special characters of a password are written %XX"),
    ("redis://u:12/hunter2@h:1/0", "special characters of a password are written %XX"),
    ("redis://u:12#hunter2@h:1/0", "special characters of a password are written %XX"),
    ("unix://run/redis.sock", "with three slashes"),
    ("unix:///run/redis.sock?db=x", "is a number"),
    ("unix:///run/redis.sock?databse=2", "databse is not known"),
    ("sentinel://u:hunter2@h:26379/0", "end it with ?master_name=NAME"),
    ("sentinel://u:hunter2@h:x/0?master_name=m", "host and port cannot be read"),
    ("sentinel://u:hunter2@h:1;h:2/0?master_name=m", "write it as"),
    ("sentinel://u:hunter2@h:1;redis://h:2/0?master_name=m", "write it as sentinel://host1"),
    ("sentinel://u:hunter2@h:1?master_name=m;sentinel://h:2", "behind the last Sentinel"),
    ("sentinel://u:hunter2@h:1/zero?master_name=m", "/DATABASE?master_name=NAME"),
    ("sentinel://u:hunter2@h:1/0?master_name=m&socket_timeout=1", "nothing else"),
    ("redis://:hun#ter2@h:1/0", "special characters of a password are written %XX"),
    ("redis://:hunter2@h:70000/0", "host and port cannot be read"),
    ("redis://:hunter2@h/0?ssl_cert_reqs=none", "go with rediss://"),
    ("redis://:hunter2@h/0?master_name=m", "goes with sentinel://"),
    ("rediss://:hunter2@h/0?ssl_ca_certs=/no/such.pem", "there is no file /no/such.pem"),
    ("rediss://:hunter2@h/0?ssl_cert_reqs=maybe", "one of required, optional, none"),
    ("rediss://:hunter2@h/0?ssl_ca_cert=x", "ssl_ca_cert is not known"),
    ("redis://:hunter2@h/1?db=2", "the database is said twice"),
    ("redis://:hunter2@h/0?db=x", "said twice"),
    ("redis://:hunter2@h?db=x", "is a number"),
    ("redis://:hunter2@h/0?databse=2", "databse is not known"),
    ("h:6379", "write it as redis://host:6379/0"),
]


@pytest.mark.parametrize(("url", "reason"), WRONG)
def test_an_error_names_the_variable_and_never_the_password(monkeypatch, url, reason):
    monkeypatch.setenv("LEDGER_URL", url)
    with pytest.raises(ValueError, match=r"^settings of the producer: LEDGER_URL: ") as producers:
        load()
    with pytest.raises(SettingsError, match=r"Invalid env var: LEDGER_URL: .* Fix: ") as workers:
        load_redis()
    for error in (producers, workers):
        assert reason in str(error.value)
        assert "hunter2" not in str(error.value)
        assert "hun" not in str(error.value)


def test_no_repr_shows_a_password(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2@h/0")
    monkeypatch.setenv("LEDGER_URL", "sentinel://:hunter2@h/0?master_name=m")
    assert "hunter2" not in repr((load(), load_redis(), RedisUrl.parse(load().ledger)))


@pytest.mark.parametrize(
    "url", ["sentinel://u:hunter2@h1;sentinel://h2/0?master_name=m", "rediss://u:hunter2@h1/0"]
)
def test_celerys_own_report_shows_no_password(url):
    """From whichever variable. Workers report their configuration in the same way."""
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "CELERY_BROKER_URL": url,
        "CELERY_RESULT_BACKEND": url,
    }
    command = [sys.executable, "-m", "celery", "-A", "worker", "report"]
    report = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert report.returncode == 0, report.stderr
    assert "broker_read_url" in report.stdout
    assert "hunter2" not in report.stdout + report.stderr
