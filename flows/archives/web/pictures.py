"""A picture over the web: asked for if it is not the version we hold, and nothing else taken for one."""

from flows.addresses import shown
from flows.archives.errors import NoPicture
from flows.archives.record import Picture, Validators
from flows.archives.values.formats import looks_like_picture, what_it_is
from flows.archives.web.client import PoliteClient


def fetch_picture(client: PoliteClient, address: str, known: Validators) -> Picture | None:
    """The picture at an address; None: unchanged since `known`.

    Raises:
        NoPicture: something else came. BadRecord, ArchiveUnavailable, ArchiveRefused: as `PoliteClient.get`.
    """
    answer = client.get(address, limit=client.manners.max_bytes_picture, known=known, wanted=looks_like_picture)
    if answer is None:
        return None
    if not looks_like_picture(answer.data):
        kind = what_it_is(answer.data)
        said = answer.content_type or "no type"
        raise NoPicture(f"{shown(answer.url)} is {kind} ({said}); look at it yourself", kind)
    return Picture(answer.data, answer.url, answer.validators, sha256=answer.sha256)
