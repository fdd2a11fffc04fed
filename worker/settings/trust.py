"""Which certificate authorities are trusted, by the variables that other programs use, too."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator
from pydantic_settings import EnvSettingsSource

from .base import Slice, variable


def _there(path: Path | None) -> Path | None:
    if path and not path.exists():
        raise ValueError("there is no such file or folder")
    return path


_Place = Annotated[Path | None, AfterValidator(_there)]


class TrustSettings(Slice):
    """Files and folders of certificates; those that are named stand in place of the system's."""

    file: _Place = variable("SSL_CERT_FILE", None)
    folder: _Place = variable("SSL_CERT_DIR", None)
    bundle: _Place = variable("REQUESTS_CA_BUNDLE", None)

    @classmethod
    def of_environment(cls) -> Self:
        """As they are now. Raises `ValueError` for a path that is not there."""
        return cls(**EnvSettingsSource(cls, env_ignore_empty=True)())

    @property
    def places(self) -> list[Path]:
        return [path for path in (self.file, self.folder, self.bundle) if path]
