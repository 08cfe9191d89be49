"""Reads the provenance out of a picture file, as a picture archive's ingest would; nishiki itself only writes it."""

from defusedxml import ElementTree

from colorize.errors import UnreadableImage
from colorize.images.decode import header
from colorize.output.provenance import _FIELD, _NAMESPACE, Provenance


def read_provenance(data: bytes) -> Provenance | None:
    """What stands in a picture file of ours (PNG, TIFF or JPEG), read without decoding; None for any other bytes."""
    try:
        said = header(data)
        # Pictures made before TIFF and JPEG were written carry the JSON in a PNG text field.
        return Provenance.from_json(said[_FIELD] if _FIELD in said else _json_in(said["xmp"]))
    except (UnreadableImage, SyntaxError, LookupError, TypeError, ValueError):
        return None


def _json_in(packet: bytes) -> str:
    return str(ElementTree.fromstring(packet).findtext(f".//{{{_NAMESPACE}}}provenance"))
