"""Makes what the review page shows of pictures: IIIF tiles, smaller versions, the lightness difference. No Prefect.

`flows.dispatch` and `nishiki tiles` call it. Durable when: each picture's folder as soon as it is whole. All of it is
made of pictures in the store, so a crash costs nothing: the next run of the batch, or the command, makes what is
missing. A picture of which no tiles can be made is a note, never an attempt's failure.
"""

import errno
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import filterfalse
from pathlib import Path
from typing import Final, Self

import numpy as np
import pyvips
from numpy.typing import NDArray

from colorize.errors import ColorizeError
from colorize.images.decode import Pixels, decode
from colorize.measures.lightness import difference_view
from db.catalogue import Catalogue
from db.entries.review import ShownPictures
from db.errors import PictureMissing
from db.files.atomic import NO_ROOM
from db.files.home import HomeFolder
from db.files.pictures import PictureStore
from db.files.tiles import AMPLIFICATION, LIGHTNESS, LONG_EDGES_PX, TileStore
from flows.progress import track
from flows.settings import Settings

_THREADS: Final = 1
"""It takes 2 GB for a pair of 100 megapixels, most of it while decoding; libvips spreads over the cores by itself."""
BEAT_S: Final = 20.0
_TILE_PX: Final = 512
_LIBVIPS_LEAVES: Final = "vips-properties.xml"
"""Beside the folder that it was given, for nobody."""
_WHOLE: Final = {".jpg": (b"\xff\xd8", b"\xff\xd9"), ".json": (b"{", b"}")}
"""How a whole file begins and ends, by its suffix."""
_JPEG: Final = {"Q": 92, "subsample_mode": "off", "keep": "none"}
"""Chroma as fine as luma, since colours are what is judged; no metadata."""


@dataclass(frozen=True)
class TileTally:
    """What making tiles came to."""

    made: int
    """Attempts that have them now and had not before."""
    problems: list[tuple[str, str]]


@dataclass(frozen=True)
class Tiling:
    """Where pictures are read, and where their tiles are kept."""

    pictures: PictureStore
    tiles: TileStore
    max_pixels: int

    @classmethod
    def of(cls, catalogue: Catalogue, settings: Settings) -> Self:
        """The stores of a catalogue."""
        return cls(catalogue.pictures, TileStore(settings.home / HomeFolder.TILES), settings.max_pixels)

    def is_whole(self, shown: ShownPictures) -> bool:
        """Are there tiles of all its pictures?"""
        return all(map(self.tiles.has, shown.all))

    def make(self, shown: ShownPictures) -> str | None:
        """Make what is missing; why not, where something could not be made.

        Raises:
            CatalogueFull: no room left.
        """
        try:
            self._make(shown)
        except (ColorizeError, PictureMissing, OSError) as error:
            if isinstance(error, ColorizeError):  # the picture's own fault: it will not pass
                self.tiles.give_up(shown.output)
            return f"its tiles could not be made ({error}); `nishiki tiles` tries again"
        return None

    def _make(self, shown: ShownPictures) -> None:
        if not (self.tiles.has(shown.content) and self.tiles.has(shown.output)):
            content = self._pixels(shown.content)
            self.tiles.add(shown.content, lambda folder: write_tiles(content, folder, shown.content))
            self.tiles.add(shown.output, lambda folder: self._write_output(content, folder, shown.output))
        for sha256 in shown.further:
            if not self.tiles.has(sha256):
                self._add(sha256)

    def _add(self, sha256: str) -> None:
        pixels = self._pixels(sha256)
        self.tiles.add(sha256, lambda folder: write_tiles(pixels, folder, sha256))

    def _write_output(self, content: Pixels, folder: Path, sha256: str) -> None:
        output = self._pixels(sha256)
        write_tiles(output, folder, sha256)
        write_tiles(difference_view(content, output, AMPLIFICATION), folder / LIGHTNESS, f"{sha256}/{LIGHTNESS}")

    def _pixels(self, sha256: str) -> Pixels:
        """By our own decoder: an archive's bytes are never handed to those of libvips."""
        return decode(self.pictures.read(sha256), max_pixels=self.max_pixels).pixels


class Tiler:
    """Makes tiles in a thread of its own, beside the devices' work: devices wait for them between two batches only."""

    def __init__(self, tiling: Tiling) -> None:
        self._tiling = tiling
        self._pool = ThreadPoolExecutor(_THREADS, "tiles")
        self._begun: list[tuple[ShownPictures, Future[str | None]]] = []

    def add(self, shown: ShownPictures) -> None:
        """Have the attempt's tiles made, where they are missing; safe from any thread."""
        self._begun.append((shown, self._pool.submit(self._tiling.make, shown)))

    def problems(self, beat: Callable[[], object] = lambda: None) -> list[tuple[str, str]]:
        """Wait for all that was added, with progress shown; which attempts have no tiles, and why.

        Args:
            beat: called while it waits, at least every BEAT_S.

        Raises:
            CatalogueFull: no room left.
        """
        problems = []
        with track("tiles", len(self._begun), "attempts") as advance:
            for shown, future in self._begun:
                while not future.done():
                    wait([future], BEAT_S)
                    beat()
                if problem := future.result():
                    problems.append((f"attempt {shown.attempt_id}", problem))
                advance(1)
        return problems

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)


def make_missing(settings: Settings) -> TileTally:
    """Make the tiles of every attempt with a picture that has none, as in a catalogue older than the review page.

    Raises:
        NoCatalogue: there is none.
        CatalogueFull: no room left; what was made is kept.
    """
    problems = []
    with Catalogue.open(settings, create=False) as catalogue:
        tiling = Tiling.of(catalogue, settings)
        missing = sum(not tiling.is_whole(shown) for shown in catalogue.pictures_shown())
        with track("tiles", missing, "attempts") as advance:
            for shown in filterfalse(tiling.is_whole, catalogue.pictures_shown()):
                if problem := tiling.make(shown):
                    problems.append((f"attempt {shown.attempt_id}", problem))
                advance(1)
    return TileTally(missing - len(problems), problems)


def write_tiles(pixels: NDArray[np.uint8], folder: Path, name: str) -> None:
    """Write a picture's level-0 tiles (IIIF Image API 3), their `info.json`, and its smaller versions.

    Args:
        pixels: sRGB, (H, W, 3), or gray, (H, W).
        folder: takes them; made where it is missing.
        name: the `id` in `info.json`, which no host is named in: the page puts its own address before it.

    Raises:
        OSError: they cannot be written.
    """
    image = pyvips.Image.new_from_array(pixels)
    with _said_by_the_system(folder):
        image.dzsave(str(folder), layout="iiif3", tile_size=_TILE_PX, suffix=f".jpg[{_options()}]")
        (folder.parent / _LIBVIPS_LEAVES).unlink(missing_ok=True)
        for file, edge in LONG_EDGES_PX.items():
            small = image.thumbnail_image(edge, height=edge, size="down")
            small.jpegsave(str(folder / file), **_JPEG)
    _check_all_was_written(folder)
    _name_whole_tile(folder, pixels.shape)
    info = json.loads((folder / "info.json").read_text(encoding="utf-8"))
    (folder / "info.json").write_text(json.dumps(info | {"id": name}), encoding="utf-8")


def _check_all_was_written(folder: Path) -> None:
    """Libvips says nothing where the system refuses the last part of a file: a tile would stay half gray for good."""
    for path in filter(Path.is_file, folder.rglob("*")):
        begins, ends = _WHOLE[path.suffix]
        data = path.read_bytes()
        if not (data.startswith(begins) and data.rstrip().endswith(ends)):
            raise OSError(errno.EIO, "libvips could not write all of it", str(path))


def _options() -> str:
    return ",".join(f"{name}={value}" for name, value in _JPEG.items())


def _name_whole_tile(folder: Path, shape: tuple[int, ...]) -> None:
    """A picture that is one tile at full size is `max` in the API's version 3, and viewers ask for it by this name."""
    by_size = folder / "full" / f"{shape[1]},{shape[0]}"
    if by_size.is_dir():
        by_size.rename(folder / "full" / "max")


@contextmanager
def _said_by_the_system(folder: Path) -> Iterator[None]:
    """The system's error of what libvips tells in words of its own, such as a disk that is full."""
    try:
        yield
    except pyvips.Error as error:
        said = " ".join(str(error).split())
        number = next((each for each in NO_ROOM if os.strerror(each) in said), errno.EIO)
        raise OSError(number, said, str(folder)) from error
