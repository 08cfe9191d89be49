"""Pictures of the IIIF Image API 1 to 3: the address that stands for one, and the largest that a server allows.

A record names a picture by the address of its whole (`…/full/max/0/default.jpg`); which size may be asked for says the
server's info.json, asked just before. Pure. Specifications: iiif.io/api/image/3.0, /2.1, /1.1.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from flows.archives.errors import BadRecord
from flows.archives.web.json_answers import Json, clean, number_at

WHOLE: Final = {3: "full/max/0/default.jpg", 2: "full/full/0/default.jpg", 1: "full/full/0/native.jpg"}
"""Version → what follows the picture's base in the address of all of it."""
_WHOLE: Final = re.compile(r"^(?P<base>https?://.+)/full/(?:max|full)/0/(?P<quality>default|native)\.jpg$")
_LEVEL_0: Final = re.compile(r"level0(?:\.json)?$|#level0$")
_AUTH: Final = re.compile(r"iiif\.io/api/auth/|^Auth(?:Access|Probe)Service")


@dataclass(frozen=True)
class Asked:
    """A picture as it is asked for."""

    address: str
    stated_px: tuple[int, int] | None = None
    """Width and height that must come."""


def picture_address(service: Json, base: str) -> str:
    """The address that stands for the picture of an image service; empty where it is no such service.

    Args:
        service: as a manifest has it, an object or the bare address.
        base: what a relative address is resolved against.
    """
    said = service.get("id", service.get("@id")) if isinstance(service, dict) else service
    version = _version(service) if isinstance(service, dict) else 2
    if not isinstance(said, str) or not version:
        return ""
    try:
        url = urljoin(base, clean(said)).rstrip("/")
        fits = urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).hostname)
    except ValueError:
        return ""
    return f"{url}/{WHOLE[version]}" if fits else ""


def service_of(address: str) -> str:
    """The base of the image service that such an address is made of; empty for the address of a file."""
    found = _WHOLE.match(address)
    return found["base"] if found else ""


def largest(info: Json, address: str, long_edge_px: int = 0) -> Asked:
    """The largest picture that a server allows.

    Args:
        info: its info.json.
        address: that stands for the picture.
        long_edge_px: no larger than that; 0: as large as it may be.

    Raises:
        BadRecord: it wants a login first, or does not say how large the picture is.
    """
    if _is_guarded(info):
        raise BadRecord(f"{address} is shown after a login only (IIIF Authorization); ask the archive")
    width, height = number_at(info, "width"), number_at(info, "height")
    if not width or not height or width < 1 or height < 1:
        raise BadRecord(f"{address}: its info.json states no width and height; tell the archive")
    version = _version(info) or (1 if address.endswith("native.jpg") else 3 if "/full/max/" in address else 2)
    sizes = _sizes(info)
    size = _within(info, (width, height), long_edge_px)
    if _is_level_0(info) and sizes:
        fitting = [each for each in sizes if not long_edge_px or max(each) <= long_edge_px] or [min(sizes)]
        size = max(fitting)
    elif _is_level_0(info) and version == 3 and size != (width, height):
        return Asked(f"{service_of(address)}/{WHOLE[3]}")  # files at rest: what is as large as they allow, or nothing
    if size == (width, height):
        return Asked(f"{service_of(address)}/{WHOLE[version]}", size)
    said = f"{size[0]},{size[1]}" if version == 3 else f"{size[0]},"
    return Asked(f"{service_of(address)}/full/{said}/0/{'native' if version == 1 else 'default'}.jpg", size)


def _within(info: Json, size: tuple[int, int], long_edge_px: int) -> tuple[int, int]:
    """The size brought within maxWidth, maxHeight (else maxWidth), maxArea, and what is asked for."""
    limits = _limits(info)
    widest = limits.get("maxWidth")
    tallest = limits.get("maxHeight", widest)
    shares = [1.0]
    shares += [widest / size[0]] if widest else []
    shares += [tallest / size[1]] if tallest else []
    shares += [(limits["maxArea"] / (size[0] * size[1])) ** 0.5] if limits.get("maxArea") else []
    shares += [long_edge_px / max(size)] if long_edge_px else []
    share = min(shares)
    return size if share >= 1 else (max(1, int(size[0] * share)), max(1, int(size[1] * share)))


def _limits(info: Json) -> dict[str, int]:
    """Of version 3 at the top, of version 2 within `profile`."""
    profile = info.get("profile") if isinstance(info, dict) else None
    places = [info, *(profile if isinstance(profile, list) else [])]
    names = ("maxWidth", "maxHeight", "maxArea")
    found = {name: each[name] for each in places if isinstance(each, dict) for name in names if name in each}
    return {name: value for name, value in found.items() if type(value) is int and value > 0}


def _sizes(info: Json) -> list[tuple[int, int]]:
    listed = info.get("sizes") if isinstance(info, dict) else None
    found = [(each.get("width"), each.get("height")) for each in (listed or []) if isinstance(each, dict)]
    return [(w, h) for w, h in found if type(w) is int and type(h) is int and w > 0 and h > 0]


def _is_level_0(info: Json) -> bool:
    profile = info.get("profile") if isinstance(info, dict) else None
    names = profile if isinstance(profile, list) else [profile]
    return any(isinstance(each, str) and _LEVEL_0.search(each) for each in names)


def _version(value: dict[str, Json] | Json) -> int:
    """Of an image service or info.json, by its type, context or profile; 0 where it is none."""
    if not isinstance(value, dict):
        return 0
    said: list[Json] = []
    for name in ("type", "@type", "@context", "profile", "protocol"):
        found = value.get(name)
        said += found if isinstance(found, list) else [found]
    texts = [each for each in said if isinstance(each, str)]
    for version, marks in ((3, ("ImageService3", "/image/3/")), (2, ("ImageService2", "/image/2/")),
                           (1, ("ImageService1", "/image/1/", "image-api/1", "/image-api/"))):  # fmt: skip
        if any(mark in text for text in texts for mark in marks):
            return version
    if any(text.endswith(("iiif.io/api/image", "level0", "level1", "level2")) for text in texts):
        return 3 if "id" in value and "@id" not in value else 2
    return 0


def _is_guarded(info: Json) -> bool:
    services = info.get("service") if isinstance(info, dict) else None
    for each in services if isinstance(services, list) else [services]:
        said = [each.get(name) for name in ("@context", "profile", "type", "@type")] if isinstance(each, dict) else []
        if any(isinstance(text, str) and _AUTH.search(text) for text in said):
            return True
    return False
