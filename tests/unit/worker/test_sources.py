"""Environment, files, manager: in this order; what cannot be read is reported with its fix.

Never with a value.
"""

import os

import pytest

from worker.settings import (
    VENDORS,
    LogSettings,
    RedisSettings,
    ServerSettings,
    Settings,
    SettingsError,
    Slice,
    SourceSettings,
    TrustSettings,
    load,
)
from worker.settings.base import OUR_PREFIXES


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LLM_SECRETS_DIR", str(tmp_path))
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)  # a machine behind a proxy has them
    return tmp_path


def problems():
    with pytest.raises(SettingsError) as caught:
        load(LogSettings)
    return [(problem.variable, str(problem)) for problem in caught.value.problems]


def mount(folder, version, **files):
    """As Kubernetes mounts a secret: links through `..data`, which is swapped in one step."""
    (folder / version).mkdir()
    for name, text in files.items():
        (folder / version / name).write_text(text)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..tmp").symlink_to(version)
    os.replace(folder / "..tmp", folder / "..data")


def test_a_mount_of_kubernetes_is_read_before_and_after_its_swap(folder):
    mount(folder, "..2026_01", OPENAI_API_KEY="sk-old\n", REDIS_URL="redis://h:1/0\n")
    settings = Settings.load()
    assert (settings.links[0].api_key.get_secret_value(), settings.redis.ledger) == (
        "sk-old",
        "redis://h:1/0",
    )
    mount(folder, "..2026_02", OPENAI_API_KEY="sk-new\n", REDIS_URL="redis://h:2/0")
    settings = Settings.load()
    assert (settings.links[0].api_key.get_secret_value(), settings.redis.ledger) == (
        "sk-new",
        "redis://h:2/0",
    )


def test_the_environment_is_first_and_each_origin_is_known(folder, monkeypatch):
    """An empty file is as good as none."""
    (folder / "OPENAI_API_KEY").write_text("sk-file")
    (folder / "LLM_LOG_LEVEL").write_text("DEBUG")
    (folder / "LLM_MAX_TOKENS").write_text("\n")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    settings = Settings.load()
    assert (
        settings.links[0].api_key.get_secret_value(),
        settings.log.level,
        settings.call.max_tokens,
    ) == (
        "sk-env",
        "DEBUG",
        3072,
    )
    assert settings.origins["LLM_ALERT_SLACK"] == "default"
    assert {
        variable: origin for variable, origin in settings.origins.items() if origin != "default"
    } == {
        "LLM_LOG_LEVEL": "LLM_SECRETS_DIR",
        "LLM_SECRETS_DIR": "environment",
        "OPENAI_API_KEY": "environment",
    }


def test_the_name_of_a_field_is_no_variable(folder, monkeypatch):
    """A container may well have a VERSION or a URL of its own."""
    monkeypatch.setenv("PREFIX", "/usr/local")
    (folder / "url").write_text("redis://elsewhere")
    assert load(RedisSettings) == RedisSettings()


@pytest.mark.parametrize(
    ("name", "reason"), [("/nowhere", "No such file or directory"), (__file__, "Not a directory")]
)
def test_a_folder_that_is_none_is_a_problem(monkeypatch, name, reason):
    monkeypatch.setenv("LLM_SECRETS_DIR", name)
    text = (
        f"Invalid env var: LLM_SECRETS_DIR: cannot be listed: {reason}. "
        "Fix: name a folder that the worker may read"
    )
    assert problems() == [("LLM_SECRETS_DIR", text)]


def test_every_file_that_cannot_be_read_is_a_problem(folder):
    """Unless it is none of ours. The tests may run as root, for whom everything is readable but
    this.
    """
    (folder / "LLM_CHAIN").mkdir()
    (folder / "OPENAI_API_KEY").symlink_to("gone")
    (folder / "REDIS_URL").write_bytes(b"\xff\xfe")
    (folder / "tls.key").write_bytes(b"\xff\xfe")
    assert problems() == [
        (
            "LLM_SECRETS_DIR",
            f"Invalid env var: LLM_SECRETS_DIR: {what}. Fix: make it a readable text file",
        )
        for what in (
            "LLM_CHAIN cannot be read: Is a directory",
            "OPENAI_API_KEY cannot be read: No such file or directory",
            "REDIS_URL cannot be read: it is no text",
        )
    ]


@pytest.mark.parametrize("manager", ["vault:x", "aws", "gcp:", "azure:http://plain.example"])
def test_an_unknown_manager_is_a_problem(monkeypatch, manager):
    monkeypatch.setenv("LLM_SECRET_MANAGER", manager)
    assert (
        "write aws:SECRET_ID, gcp:PROJECT or azure:https://"
        in dict(problems())["LLM_SECRET_MANAGER"]
    )


@pytest.mark.parametrize("manager", ["gcp:project", "azure:https://vault.example"])
def test_a_library_that_is_not_installed_is_named_with_the_way_to_it(monkeypatch, manager):
    """Among all that is wrong."""
    monkeypatch.setenv("LLM_SECRET_MANAGER", manager)
    monkeypatch.setenv("LLM_LOG_LEVEL", "LOUD")
    found = dict(problems())
    kind = manager.partition(":")[0]
    assert f"Fix: pip install 'celery-completions[{kind}]'" in found["LLM_SECRET_MANAGER"]
    assert set(found) == {"LLM_SECRET_MANAGER", "LLM_LOG_LEVEL"}


def test_every_variable_begins_as_ours_do():
    """Else a folder's or a manager's would be passed over."""
    slices = {
        each
        for each in Settings.__annotations__.values()
        if isinstance(each, type) and issubclass(each, Slice)
    }
    names = {
        field.validation_alias
        for each in slices - {SourceSettings, TrustSettings}
        for field in each.model_fields.values()
    }
    names |= {
        prefix + name.upper() for prefix in VENDORS.values() for name in ServerSettings.model_fields
    }
    assert len(names) > 50
    assert [name for name in names if not name.lower().startswith(OUR_PREFIXES)] == []
