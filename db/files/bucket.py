"""Pictures in object storage, under the names that they have in a folder: S3 and what speaks it, Google's, Azure's.

All machines keep their pictures there once. Credentials are found where each provider's own tools find theirs (for S3
`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL`, or what the machine itself is allowed):
none of them is a setting of ours.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from db.errors import PicturesUnreachable

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

NAME: Final = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{64}\.[a-z0-9]{1,8}")
"""Of a picture, below the folder or the prefix of all; whatever else lies there is somebody else's."""
_ONE_REQUEST = timedelta(minutes=10)
"""How long one picture may take: a scan of a gigabyte over a slow line."""
_SILENCE = timedelta(minutes=1)
"""How long nothing may come of an answer."""
_MANY, _PAUSE = 10_000, timedelta(seconds=2)
"""Tries, so that only their time ends them, and the longest pause between two."""
_ENDPOINT = re.compile(r"https?://[^/@\s]+(/[^@\s]*)?")


@dataclass(frozen=True)
class Kept:
    """A picture file: its name below the folder or prefix, its bytes, and when they were written."""

    name: str
    size: int
    changed_at: datetime

    @property
    def sha256(self) -> str:
        """Of the picture that it is to hold."""
        return PurePosixPath(self.name).stem

    @property
    def is_picture(self) -> bool:
        """Is it named as nishiki names pictures?"""
        return NAME.fullmatch(self.name) is not None


class Bucket:
    """The pictures under one address such as `s3://BUCKET/PREFIX`; several machines may write at once."""

    def __init__(self, url: str, wait_s: float) -> None:
        """Nothing is asked yet.

        Args:
            url: `s3://`, `gs://` or `az://`, a bucket's name and a prefix; or `file:///` and a folder.
            wait_s: seconds for which an unanswered request is repeated.
        """
        self.url = url
        self._wait = timedelta(seconds=wait_s)

    def look(self) -> None:
        """See whether it can be asked; a folder that is yet to be made is not made for it.

        Raises:
            PicturesUnreachable: it cannot.
        """
        with self._answering():  # which says where the package for it is missing
            unmade = self.url.startswith("file://") and not Path(self.url.removeprefix("file://")).exists()
        if not unmade:
            next(self.listed("00/00"), None)

    def add(self, name: str, data: bytes) -> None:
        """Keep these bytes under this name unless it is taken; a name stands for its bytes, whoever was first.

        Raises:
            PicturesUnreachable: they could not be kept.
        """
        with self._answering():
            from obstore.exceptions import AlreadyExistsError  # noqa: PLC0415

            with suppress(AlreadyExistsError):
                self._store.put(name, data, mode="create")

    def replace(self, name: str, data: bytes | Path, kind: str | None = None) -> None:
        """Keep these bytes under this name, whatever lies there.

        Args:
            name: theirs.
            data: they themselves, or the file that has them.
            kind: their media type, for browsers that ask the storage itself.

        Raises:
            PicturesUnreachable: they could not be kept.
        """
        told = None if kind is None or self.url.startswith("file://") else {"Content-Type": kind}
        with self._answering():
            self._store.put(name, data, mode="overwrite", attributes=told)

    def read(self, name: str) -> bytes | None:
        """All bytes under a name; None: it is not there.

        Raises:
            PicturesUnreachable: it is not known whether it is.
        """
        with self._answering(), suppress(FileNotFoundError):
            return bytes(self._store.get(name).bytes())
        return None

    def kept(self, folder: str | None = None) -> Iterator[Kept]:
        """The pictures of a folder (`ab/cd`), or all.

        Raises:
            PicturesUnreachable: they cannot be listed.
        """
        yield from (each for each in self.listed(folder) if NAME.fullmatch(each.name))

    def listed(self, folder: str | None = None) -> Iterator[Kept]:
        """Whatever lies there.

        Raises:
            PicturesUnreachable: it cannot be listed.
        """
        with self._answering():
            for block in self._store.list(folder):
                yield from (Kept(each["path"], each["size"], each["last_modified"]) for each in block)

    def remove(self, name: str) -> None:
        """Remove what lies under a name, if anything does.

        Raises:
            PicturesUnreachable: it could not be asked for.
        """
        with self._answering(), suppress(FileNotFoundError):
            self._store.delete(name)

    @cached_property
    def _store(self) -> "ObjectStore":
        from obstore.store import LocalStore, from_url  # noqa: PLC0415  # only where pictures are kept in a bucket

        if self.url.startswith("file://"):
            return LocalStore(self.url.removeprefix("file://"), mkdir=True)
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "https://aws")
        if not _ENDPOINT.fullmatch(endpoint):
            raise PicturesUnreachable("AWS_ENDPOINT_URL is to be http://HOST or https://HOST, without a password")
        at_home = endpoint.startswith("http://")  # who names it so means it so
        client: ClientConfig = {"timeout": _ONE_REQUEST, "read_timeout": _SILENCE, "allow_http": at_home}
        patience: RetryConfig = {"retry_timeout": self._wait, "max_retries": _MANY, "backoff": {"max_backoff": _PAUSE}}
        return from_url(self.url, client_options=client, retry_config=patience)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Whatever a provider's library says of a request becomes one sentence of ours.

        Raises:
            PicturesUnreachable: it says that it did not come about.
        """
        try:
            from obstore.exceptions import BaseError  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise PicturesUnreachable(
                f"obstore, by which {self.url} is reached, is not installed; pip install '.[objects]'"
            ) from error
        try:
            yield
        except FileNotFoundError:
            raise
        except (BaseError, OSError) as error:
            said = str(error).partition("\n")[0].partition(": <")[0]
            raise PicturesUnreachable(f"object storage {self.url} cannot be used ({said[:300]})") from error
