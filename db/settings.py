"""Where the catalogue lies. `flows.settings.Settings` extends this with all that the night needs.

Read once at an entry point and passed down; importing reads nothing. In order of weight: arguments,
environment (`NISHIKI_HOME`), `.env`, `nishiki.toml` in the current folder. Knows no database driver.
"""

import re
import tomllib
from errno import EISDIR
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from db.files.home import own_database

_URL = re.compile(r"sqlite:///[^\0\n]+|postgres(ql)?(\+psycopg)?://.*")
_NO_PATH = re.compile(r"sqlite:///(:memory:|file:.*)")
"""SQLite's words for what is no file, or is written otherwise."""


_SERVER = re.compile(
    r"[^:]*://("
    r"([^:/?#@]*(:[^:/?#@]*)?@)?[^@]*"
    r"|([^:/?#@]*@)?[^:/?#@]*/[^@?]*\?.*"  # a `@` among the options, where nothing before them can be a password
    r")"
)
"""What a server's URL has to look like that SQLAlchemy, which takes more, may read no password as host or path."""
_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(:(?P<port>[0-9]*))?", re.ASCII)


def _known_database(url: SecretStr) -> SecretStr:
    given = url.get_secret_value().strip()
    if not _URL.fullmatch(given):
        raise ValueError("give sqlite:///PATH or postgresql://USER@HOST/NAME")
    if _NO_PATH.fullmatch(given):
        raise ValueError("after sqlite:/// give a path, which is taken as it is written (./NAME for an odd name)")
    if not (given.startswith("sqlite") or _SERVER.fullmatch(given)):
        raise ValueError(
            "give postgresql://USER:PASSWORD@HOST/NAME with the password percent-encoded: @ : / # ? % in it are "
            "written %40 %3A %2F %23 %3F %25, as Python's urllib.parse.quote(PASSWORD, safe='') does"
        )
    if not _host_is_right(given):
        raise ValueError("the port is no number from 1 to 65535; give postgresql://USER@HOST:PORT/NAME")
    return url


def _host_is_right(url: str) -> bool:
    """Of a server whose password, if any, stands before the first `@`."""
    if url.startswith("sqlite"):
        return True
    rest = url.partition("://")[2]
    found = _HOST.fullmatch(re.split("[/?]", rest.partition("@")[2] or rest)[0])
    return found is not None and 1 <= int(found["port"] or 5432) <= 65_535


_BUCKET = re.compile(r"(s3|gs|az)://[^/?#@\s]+(/[^/?#\s]+)*/?|file:///\S+")


def known_bucket(url: str) -> str:
    """An address in object storage, as it is kept.

    Raises:
        ValueError: it is none, or holds a password.
    """
    if not _BUCKET.fullmatch(url):
        raise ValueError(
            "give s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX, without a password in it"
        )
    return url.rstrip("/")


class TomlSource(TomlConfigSettingsSource):
    """`nishiki.toml`, with or without the byte order mark of Windows' editors."""

    def _read_files(self, files: Any, deep_merge: bool = False) -> dict[str, Any]:
        """A folder, too, which pydantic would pass over as if there were no file.

        Raises:
            IsADirectoryError: it is one, as a container's mount makes of a file that is not there.
        """
        if files is not None and Path(files).is_dir():
            raise IsADirectoryError(EISDIR, "it is a folder, and has to be a file", str(files))
        return super()._read_files(files, deep_merge)

    def _read_file(self, file_path: Any) -> dict[str, Any]:
        return tomllib.loads(file_path.read_text(encoding="utf-8-sig"))


DatabaseUrl = Annotated[SecretStr, AfterValidator(_known_database)]
"""Secret, since it may hold a password: it is never shown, nor stored with a flow run's parameters."""


class CatalogueSettings(BaseSettings):
    """Settings of the catalogue; each can be given as `NISHIKI_` and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="NISHIKI_",
        env_file=".env",
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
        toml_file="nishiki.toml",
        extra="ignore",
        frozen=True,
        defer_build=True,
    )

    home: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        default=Path("nishiki-data"),
        description="Folder of the catalogue and its pictures; made when it is missing.",
    )
    database_url: DatabaseUrl | None = Field(
        default=None,
        description="Database of the catalogue, `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`, where `@`, "
        "`:`, `/`, `#`, `?`, `%` in the password are written %40, %3A, %2F, %23, %3F, %25; left out: catalogue.db in "
        "the home.",
    )

    database_wait_s: int = Field(
        default=10,
        ge=2,
        le=600,
        description="How many seconds to wait for a PostgreSQL server or object storage that is away, also in the "
        "middle of a night.",
    )
    picture_store: Annotated[str, AfterValidator(known_bucket)] | None = Field(
        default=None,
        description="Object storage in which all machines keep their pictures, such as `s3://BUCKET/PREFIX`; "
        "left out: the home. It needs `pip install '.[objects]'`.",
    )

    @property
    def url(self) -> str:
        """The database's URL, SQLite in the home unless told otherwise; a `connect_timeout` of its own holds."""
        if self.database_url is None:
            return own_database(self.home)
        url = self.database_url.get_secret_value().strip()
        if url.startswith("sqlite") or "connect_timeout=" in url:
            return url
        return f"{url}{'&' if '?' in url else '?'}connect_timeout={self.database_wait_s}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put `nishiki.toml` under the environment, so that one command can differ from the file."""
        return init_settings, env_settings, dotenv_settings, TomlSource(settings_cls)
