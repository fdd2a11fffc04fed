"""Keys and URLs that cannot work are refused before the first job."""

import pytest
from pydantic import ValidationError

from worker.settings import ServerSettings
from worker.settings.links import LinkSettings


@pytest.mark.parametrize(
    "url",
    [
        "api.example.com/v1",
        "ftp://host/v1",
        "http://",
        "http://host/v1?api-version=1",
        "http://host/v1#x",
        "http://user:pw@host/v1",
        "http://ho st/v1",
        "http://host/v1\n/x",
        '"http://host/v1"',
        "\u201chttp://host/v1\u201d",
        "http://host:99999/v1",
        "http://host:x/v1",
    ],
)
def test_an_unusable_url_is_refused(url):
    with pytest.raises(ValidationError):
        ServerSettings(base_url=url)


@pytest.mark.parametrize(
    "key", ["sk a", "sk\nx", "sk\x00", '"sk"', "'sk'", "\u201csk\u201d", "clé"]
)
def test_an_unusable_key_is_refused_and_not_shown(key):
    with pytest.raises(ValidationError) as caught:
        ServerSettings(api_key=key)
    assert key not in str(caught.value)


def test_blanks_around_them_are_left_out():
    server = ServerSettings(base_url=" http://[::1]:8000/v1 \n", api_key=" sk-1\n")
    assert server.base_url == "http://[::1]:8000/v1"
    assert server.api_key.get_secret_value() == "sk-1"
    assert ServerSettings(base_url=" ", api_key="\n") == ServerSettings()


@pytest.mark.parametrize(
    "text", ["x y=1", "host=a", "X-Client-Request-Id=1", "x-team=\x01", "x-team=ü", "=1", "x-team"]
)
def test_headers_that_cannot_be_sent_are_refused(text):
    with pytest.raises(ValidationError):
        LinkSettings(headers=text)


def test_headers_are_not_shown():
    settings = LinkSettings(headers="x-team=blue;x-key=a=b")
    assert "blue" not in repr(settings)
    assert settings.headers["x-key"].get_secret_value() == "a=b"
