"""A night with its pictures in object storage, beside the same night with a folder, to the byte.

`python -m tests.benchmarks.operations_storage`, with moto's S3 server on the path (`pip install 'moto[server]'`). One
machine harvests and matches, others with empty folders of their own work through the batch that was claimed: one
undisturbed, one while the server stops answering in the middle and answers again later. What a picture's way there and
back takes is measured with files as large as scans, and is that of the server, too, which is a test's.
"""

import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from db.catalogue import Catalogue
from db.doctor import Damage, examine
from db.errors import PicturesUnreachable
from db.files.bucket import Bucket
from db.files.pictures import PictureStore
from flows.dispatch import resume
from flows.settings import Settings
from flows.under_prefect import of_one_command
from tests.benchmarks.figures import Figure, publish
from tests.benchmarks.one_batch import GRAYS, batch_settings, results, take, worked_through
from tests.conftest import _narrow_weights

SCAN_BYTES: Final = 4_200_000
SCANS: Final = 12
PATIENCE_S: Final = 600.0


def main() -> None:
    """Run the nights and publish their figures."""
    with tempfile.TemporaryDirectory(prefix="nishiki-storage-") as folder, _served() as (server, url):
        publish("operations-storage", _figures(Path(folder), server, url))


def _figures(folder: Path, server: subprocess.Popen[bytes], url: str) -> Iterator[Figure]:
    yield from _way(folder, url)
    _narrow_weights(folder / "weights")
    with of_one_command(gone=True):
        taken = batch_settings(folder, "taken", picture_store=f"{url}/night")
        take(taken)
        own, undisturbed, stopped = (_other_machine(taken, name) for name in ("folder", "storage", "stopped"))
        own = _brought_home(own)
        for name, settings in (("folder", own), ("object storage", undisturbed)):
            began = time.monotonic()
            worked_through(settings)
            yield Figure(f"{name}: seconds for {GRAYS} pictures", time.monotonic() - began, "s")
        yield from _stopped_answering(stopped, server)
    wanted = results(own)
    for name, settings in (("storage", undisturbed), ("stopped", stopped)):
        made = results(settings)
        same = sum(made[content] == data for content, data in wanted.items())
        yield Figure(f"{name}: pictures equal to the byte", same, "", str(GRAYS), same == GRAYS == len(made))
        found = [each for each in examine(settings, young_s=0) if each.damage in (Damage.MISSING, Damage.ALTERED)]
        yield Figure(f"{name}: missing or altered pictures", len(found), "", "0", not found)


def _way(folder: Path, url: str) -> Iterator[Figure]:
    """What a scan's way into storage and back takes."""
    data = [os.urandom(SCAN_BYTES) for _ in range(SCANS)]
    here, there = folder / "here", Bucket(f"{url}/way", wait_s=10)
    took: dict[str, list[float]] = defaultdict(list)
    one, other = PictureStore(here, there), PictureStore(folder / "elsewhere", there)
    alone = PictureStore(folder / "alone")
    for each in data:
        took["add"].append(_seconds(partial(one.add, each, ".jpg")))
        took["add again"].append(_seconds(partial(one.add, each, ".jpg")))
        took["add to a folder"].append(_seconds(partial(alone.add, each, ".jpg")))
    for kept in other.kept():
        took["read elsewhere"].append(_seconds(partial(other.read, kept.sha256)))
    for what, seconds in took.items():
        yield Figure(f"{what}: a file of {SCAN_BYTES / 1e6:.1f} MB", 1000 * median(seconds), "ms")


def _stopped_answering(settings: Settings, server: subprocess.Popen[bytes]) -> Iterator[Figure]:
    """The night ends with a sentence; carried on when the server answers, it has all."""
    killer = threading.Thread(target=_stop, args=(server, settings))
    killer.start()
    began = time.monotonic()
    with suppress(PicturesUnreachable):
        resume(settings)
    killer.join()
    with Catalogue.open(settings, create=False) as catalogue:
        done = catalogue.status()["attempts"]["succeeded"]
    yield Figure("pictures done when storage stopped answering", done, "", f"1 to {GRAYS - 1}", 0 < done < GRAYS)
    yield Figure("seconds until the night ended by it", time.monotonic() - began, "s")
    server.send_signal(signal.SIGCONT)
    resume(settings)
    with Catalogue.open(settings, create=False) as catalogue:
        outcomes = catalogue.status()["attempts"]
    whole = outcomes["succeeded"] == GRAYS == sum(outcomes.values())
    yield Figure("pictures after the night that carried on", outcomes["succeeded"], "", str(GRAYS), whole)


def _stop(server: subprocess.Popen[bytes], settings: Settings) -> None:
    end, done = time.monotonic() + PATIENCE_S, 0
    while done < 2 and time.monotonic() < end:
        time.sleep(0.1)
        with Catalogue.open(settings, create=False) as catalogue:
            done = catalogue.status()["attempts"]["succeeded"]
    server.send_signal(signal.SIGSTOP)


def _other_machine(taken: Settings, name: str) -> Settings:
    """A copy of the home without its pictures."""
    shutil.copytree(taken.home, taken.home.with_name(name), ignore=shutil.ignore_patterns("pictures"))
    return batch_settings(taken.home.parent, name, picture_store=taken.picture_store)


def _brought_home(settings: Settings) -> Settings:
    """The same with all pictures in its folder and none in object storage."""
    with Catalogue.open(settings, create=False) as catalogue:
        for kept in catalogue.pictures.kept():
            catalogue.pictures.path(kept.sha256)
    return settings.model_copy(update={"picture_store": None})


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def _served() -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """moto's server with one bucket, and the bucket's address; what its clients need is in the environment."""
    command = shutil.which("moto_server")
    if command is None:
        raise SystemExit("there is no moto_server here; pip install 'moto[server]', and have it on the path")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    os.environ |= {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    os.environ["AWS_ENDPOINT_URL"] = address
    with subprocess.Popen([command, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _made(f"{address}/prints")
            yield server, "s3://prints"
        finally:
            server.send_signal(signal.SIGCONT)
            server.terminate()


def _made(bucket: str) -> None:
    """Make the bucket as soon as the server is there."""
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    retrying = Retry(connect=20, backoff_factor=0.2)
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=retrying))
        session.put(bucket, timeout=10).raise_for_status()


if __name__ == "__main__":
    main()
