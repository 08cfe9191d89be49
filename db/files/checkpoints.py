"""Half-done pictures of attempts: in the home of the machine at work, and copied to object storage, where that is used.

`colorize` writes and reads the files; the run of a batch has them copied, so that another machine goes on with what a
lost one had come to. A copy is a help and no promise: without it the picture is begun anew.
"""

import logging
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from db.errors import PicturesUnreachable
from db.files.atomic import make_folder, write_whole
from db.files.bucket import Bucket
from db.files.home import HomeFolder, checkpoint_path

_LOG = logging.getLogger(__name__)


class Checkpoints:
    """Those of one machine's attempts. What object storage is asked to do, it does beside other work, in turn."""

    def __init__(self, home: Path, bucket: Bucket | None) -> None:
        self._home, self._bucket = home, bucket
        self._line = ThreadPoolExecutor(1, "checkpoints")
        self._copied: dict[int, int] = {}
        """When each file was written of which there is a copy, in ns."""
        self._copying: Future[None] | None = None

    def path(self, attempt_id: int) -> Path:
        """Where this machine keeps an attempt's."""
        return checkpoint_path(self._home, f"attempt-{attempt_id}")

    def fetched(self, attempt_id: int) -> Path:
        """The same, after what another machine had come to was put there, if it is newer."""
        path = self.path(attempt_id)
        if self._bucket is not None:
            try:
                self._fetch(self._bucket, path)
            except (PicturesUnreachable, OSError) as error:
                _LOG.warning("attempt %d is begun without what others made of it: %s", attempt_id, error)
        return path

    def copy(self, attempt_ids: Iterable[int]) -> None:
        """Have those copied that were written since; one at a time, so what comes too soon waits for the next word."""
        some = [*attempt_ids]
        if self._bucket is not None and some and (self._copying is None or self._copying.done()):
            self._copying = self._line.submit(self._copy, self._bucket, some)

    def forget(self, attempt_id: int) -> None:
        """Have the copy removed: the attempt has its end."""
        self._copied.pop(attempt_id, None)
        if self._bucket is not None:
            self._line.submit(self._forget, self._bucket, attempt_id)

    def close(self) -> None:
        """Wait for what was asked."""
        self._line.shutdown()

    def _fetch(self, bucket: Bucket, path: Path) -> None:
        there = next((each for each in bucket.listed(HomeFolder.CHECKPOINTS) if each.name == _name(path)), None)
        if there is None or (path.exists() and path.stat().st_mtime >= there.changed_at.timestamp()):
            return
        data = bucket.read(there.name)
        if data is not None:
            make_folder(path.parent)
            write_whole(path, data, path.parent)

    def _copy(self, bucket: Bucket, attempt_ids: Iterable[int]) -> None:
        for number in attempt_ids:
            path = self.path(number)
            try:
                written = path.stat().st_mtime_ns
                if self._copied.get(number) != written:
                    bucket.replace(_name(path), path)
                    self._copied[number] = written
            except FileNotFoundError:
                continue  # none yet, or its attempt has just ended
            except PicturesUnreachable as error:
                _LOG.warning("what attempt %d has come to is on this machine alone: %s", number, error)
                return

    def _forget(self, bucket: Bucket, attempt_id: int) -> None:
        try:
            bucket.remove(_name(self.path(attempt_id)))
        except PicturesUnreachable as error:
            _LOG.warning("a copy of attempt %d stays in object storage: %s", attempt_id, error)


def _name(path: Path) -> str:
    return f"{HomeFolder.CHECKPOINTS}/{path.name}"
