"""Working copies of the catalogue's pictures: made at harvest, read by matching, made again where one is lost.

Of a catalogue that is older than they are, each is made when it is first read, or all at once by `nishiki doctor
--mend`. The file is there before the row that says that the picture is held.
"""

from collections.abc import Collection, Iterator
from contextlib import nullcontext
from threading import RLock

from colorize.errors import UnreadableImage
from colorize.images.decode import Decoded, Pixels, decode
from colorize.images.tone import judge_tone
from colorize.images.working_copy import DECODED_PX, WorkingCopy, from_png, to_png, working_copy
from db.catalogue import Catalogue
from db.entries.night import ImageFacts, Tone
from db.errors import PictureMissing
from flows.progress import track

_LARGE_BYTES = 8_000_000
_JPEG = b"\xff\xd8\xff"
_one_original = RLock()
"""Whoever decodes a large original whole holds it: one of 100 megapixels takes more than a gigabyte."""


def decode_small(data: bytes, max_pixels: int) -> Decoded:
    """An original, as large as its working copy needs it; large ones that only come whole, one after the other.

    Raises:
        UnreadableImage, OversizedImage: as `colorize.images.decode.decode`.
    """
    alone = len(data) > _LARGE_BYTES and not data.startswith(_JPEG)
    with _one_original if alone else nullcontext():
        return decode(data, max_pixels=max_pixels, least_px=DECODED_PX)


def keep_working_copy(catalogue: Catalogue, sha256: str, pixels: Pixels) -> WorkingCopy:
    """Make and keep the copy of a decoded original.

    Raises:
        CatalogueFull: no room left for it.
    """
    copy = working_copy(pixels)
    catalogue.working_copies.add(sha256, to_png(copy))
    return copy


def image_facts(sha256: str, decoded: Decoded, size: int, copy: WorkingCopy) -> ImageFacts:
    """What decoding told of a stored file of so many bytes; its tone is that of the print, without what lies around."""
    report = judge_tone(copy.framed, decoded.mode)
    tone, measures = Tone(report.tone.value), report.measures
    return ImageFacts(sha256, decoded.width, decoded.height, decoded.mode, size, tone, measures, decoded.notes)


def read_working_copy(catalogue: Catalogue, sha256: str, max_pixels: int) -> WorkingCopy:
    """The copy of a stored picture, made now where it is missing or damaged.

    Raises:
        PictureMissing, UnreadableImage: there is neither a copy nor a sound original.
        CatalogueFull: no room left for a new one.
    """
    try:
        return from_png(catalogue.working_copies.read(sha256))
    except (FileNotFoundError, UnreadableImage):
        return _made_anew(catalogue, sha256, max_pixels)


def _made_anew(catalogue: Catalogue, sha256: str, max_pixels: int) -> WorkingCopy:
    """From the original, as it is decoded now; what is known of the picture follows."""
    with _one_original:
        data = catalogue.pictures.read(sha256)
        decoded = decode_small(data, max_pixels)
        copy = keep_working_copy(catalogue, sha256, decoded.pixels)
        catalogue.correct_image(image_facts(sha256, decoded, len(data), copy))
        return copy


def make_working_copies(catalogue: Catalogue, sha256s: Collection[str], max_pixels: int) -> Iterator[str]:
    """Make the copies of these pictures, anew where there are some; yields a sentence for each that cannot be made.

    Raises:
        CatalogueFull: no room left; those made so far are kept.
    """
    with track("working copies", len(sha256s), "pictures") as advance:
        for sha256 in sha256s:
            try:
                _made_anew(catalogue, sha256, max_pixels)
            except (PictureMissing, UnreadableImage, OSError) as error:
                yield f"{sha256[:12]}: {error}"
            advance(1)
