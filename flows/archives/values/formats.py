"""Small readers of what archives write: lists in one field, actors in roles, suffixes, magic bytes.

Called by the archive clients; they know no protocol.
"""

import re
import unicodedata
from urllib.parse import parse_qsl, urlsplit

from flows.archives.record import Role

PICTURE_SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".png",
    ".tif",
    ".tiff",
    ".webp",
    ".avif",
    ".jp2",
    ".j2k",
    ".jpx",
)

FOREIGN_SUFFIXES = (".gif", ".bmp", ".svg", ".psd", ".pdf", ".heic", ".heif", ".djvu", ".eps")
"""Pictures too, of formats that we do not take."""
_KNOWN = (
    (rb"GIF8", "a GIF, a format that is not taken"),
    (rb"BM.{8}", "a BMP, a format that is not taken"),
    (rb"%PDF", "a PDF, a format that is not taken"),
    (rb"8BPS", "a Photoshop file, a format that is not taken"),
    (rb".{4}ftyp(heic|heix|mif1|msf1)", "a HEIC, a format that is not taken"),
    (rb"\s*[\[{].*?iiif\.io/api/presentation", "an IIIF manifest, which is not read yet"),
    (rb"\s*[\[{].*?iiif\.io/api/image", "the description of an IIIF image, which is not read yet"),
    (rb"(?:\s*<[?!][^>]*>)*\s*<svg", "an SVG, a format that is not taken"),
    (rb"\s*$", "empty"),
)
"""What comes in a picture's place, by its first bytes, and what it is called."""

_MAGIC = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"II*\0",  # TIFF, both byte orders, and BigTIFF
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"\0\0\0\x0cjP  \r\n\x87\n",  # JPEG 2000, as file and as bare codestream
    b"\xff\x4f\xff\x51",
)
MAGIC_BYTES = 64
"""So many first bytes suffice for `looks_like_picture`."""

# Words that name the office of an actor, not a role that was played.
_LABELS = {"", "役者", "俳優", "actor", "actors", "performer"}
_SLASH = re.compile(r"\s*[/／]\s*")
_COLON = re.compile(r"\s*[:：]\s*")
_GENERATION = re.compile(r"([^〈]+)(〈[^〉]*〉.+)")
_PARENTHESES = re.compile(r"(.+?)\s*[(（]([^()（）]+)[)）]")
_LIST = re.compile(r"[;；]")


def looks_like_picture(start: bytes) -> bool:
    """Whether the first bytes are those of a format that we take; a suffix or a media type may lie."""
    if start.startswith(_MAGIC):
        return True
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return True
    return start[4:8] == b"ftyp" and (b"avif" in start[8:MAGIC_BYTES] or b"avis" in start[8:MAGIC_BYTES])


def what_it_is(start: bytes) -> str:
    """In a few words, what came that is no picture of a format that we take."""
    if looks_like_html(start):
        return "an HTML page"
    head = start[:4096]
    found = (name for known, name in _KNOWN if re.match(known, head, re.DOTALL | re.IGNORECASE))
    return next(found, "of no picture format that we take")


def names_picture(url: str, suffixes: tuple[str, ...] = PICTURE_SUFFIXES) -> bool:
    """Whether the path, or a value of the query, ends like a picture file."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    names = (parts.path, *(value for _, value in parse_qsl(parts.query)))
    return any(name.lower().endswith(suffixes) for name in names)


def plain(text: str) -> str:
    """The form in which two names of one genre compare."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def looks_like_html(start: bytes) -> bool:
    """Whether a person's page came in place of what was asked for."""
    head = start[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html")) or b"<html" in head


def items(text: str) -> tuple[str, ...]:
    """The parts of a `;`-separated list, blanks left out."""
    return tuple(filter(None, places(text)))


def places(text: str) -> tuple[str, ...]:
    """The parts of such a list with its blanks, where another list is matched to it by position."""
    return tuple(part.strip() for part in _LIST.split(text))


def read_role(text: str) -> Role:
    """One actor in a role: "role/actor", "役名：役者", "役名〈5〉役者", "actor (role)" or an actor alone."""
    text = " ".join(text.split())
    for pattern in (_SLASH, _COLON):
        role, found, actor = _cut(pattern, text)
        if found and actor:
            return Role("" if role.casefold() in _LABELS else role, actor)
    if named := _GENERATION.fullmatch(text):
        return Role(named[1].strip(), named[2].strip())
    # Digits in parentheses are years of life or a generation, not a role.
    if (named := _PARENTHESES.fullmatch(text)) and not re.search(r"\d", named[2]):
        return Role(named[2].strip(), named[1].strip())
    return Role("", text)


def _cut(pattern: re.Pattern[str], text: str) -> tuple[str, bool, str]:
    parts = pattern.split(text, maxsplit=1)
    return parts[0].strip(), len(parts) == 2, parts[-1].strip()
