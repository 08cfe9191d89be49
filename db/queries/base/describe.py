"""What is said about images: the words of a record that names each one.

A live record whose rights allow derivatives speaks first, then any live one, then the one that first brought
the image: words must not come from a record that is withdrawn while another stands for the picture.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlalchemy.orm import Session

from db.entries.night import Derivatives, Description
from db.pathless import archive_label
from db.queries.base.store import Store, chunks
from db.tables.night import Archive, Image, Record, RecordArtist, RecordCast, RecordImage, Rights

# Tables rather than classes, and statements made once: every picture shown asks for these, and a look-up of a few rows
# costs a tenth of what objects would.
_ARCHIVES, _IMAGES, _LINKS, _RECORDS, _RIGHTS = (
    each.__table__ for each in (Archive, Image, RecordImage, Record, Rights)
)
_SOME: BindParameter[Any] = bindparam("some", expanding=True)
_SAID = (
    "identifier", "title", "year_from", "year_to", "holder", "credit_line", "landing_url", "genre", "archive_words",
    "authorities",
)  # fmt: skip
_HARVESTED = select(_IMAGES.c.id, _IMAGES.c.sha256, _IMAGES.c.record_id, _IMAGES.c.notes).where(
    _IMAGES.c.id.in_(_SOME), _IMAGES.c.record_id.is_not(None)
)
_SPEAKING = (
    select(_IMAGES.c.id, _RECORDS.c.id, _RIGHTS.c.derivatives)
    .join(_LINKS, _LINKS.c.image_id == _IMAGES.c.id)
    .join(_RECORDS, _RECORDS.c.id == _LINKS.c.record_id)
    .join(_RIGHTS, _RIGHTS.c.record_id == _RECORDS.c.id)
    .where(_IMAGES.c.id.in_(_SOME), _RECORDS.c.deleted_at.is_(None))
)
_WORDS = (
    select(_RECORDS.c.id.label("record_id"), *(_RECORDS.c[name] for name in _SAID))
    .add_columns(_ARCHIVES.c.name.label("archive"))
    .add_columns(_RIGHTS.c.uri.label("rights_uri"), _RIGHTS.c.derivatives, _RIGHTS.c.basis.label("rights_basis"))
    .join(_RIGHTS, _RIGHTS.c.record_id == _RECORDS.c.id)
    .join(_ARCHIVES, _ARCHIVES.c.id == _RECORDS.c.archive_id)
    .where(_RECORDS.c.id.in_(_SOME))
)


def _in_order(table: type[Any], *names: str) -> Select[Any]:
    rows = table.__table__
    columns = [rows.c.record_id, *(rows.c[name] for name in names)]
    return select(*columns).where(rows.c.record_id.in_(_SOME)).order_by(rows.c.record_id, rows.c.position)


_ARTISTS = _in_order(RecordArtist, "name")
_CAST = _in_order(RecordCast, "role", "actor")


class DescribeQueries(Store):
    """What stands beside a picture wherever it is shown."""

    def describe(self, image_ids: Collection[int]) -> dict[int, Description]:
        """A record's words on each harvested image; made images have none and are left out."""
        with self._reading() as session:
            return describe(session, image_ids)


def describe(session: Session, image_ids: Collection[int]) -> dict[int, Description]:
    """As the method, within a transaction that is open already."""
    descriptions: dict[int, Description] = {}
    for some in chunks(image_ids):
        images = session.execute(_HARVESTED, {"some": some}).all()
        live = speaking_records(session, some)
        speaking = {image.id: live.get(image.id, image.record_id) for image in images}
        records = {"some": sorted(set(speaking.values()))}
        words = map(dict, session.execute(_WORDS, records).mappings())
        said = {row.pop("record_id"): row | _told(row) for row in words}
        artists = _by_record(session.execute(_ARTISTS, records))
        cast = _by_record(session.execute(_CAST, records))
        for image in images:
            number = speaking[image.id]
            descriptions[image.id] = Description(
                image_id=image.id,
                sha256=image.sha256,
                artists=tuple(name for (name,) in artists[number]),
                cast=tuple(cast[number]),
                notes=tuple(image.notes or ()),
                **said[number],
            )
    return descriptions


def describe_files(session: Session, sha256s: Collection[str]) -> dict[str, Description]:
    """As `describe`, of images by the sha256 of their bytes."""
    known: list[int] = []
    for some in chunks(sha256s):
        known += session.scalars(select(Image.id).where(Image.sha256.in_(some)))
    return {said.sha256: said for said in describe(session, known).values()}


def speaking_records(session: Session, image_ids: Collection[int]) -> dict[int, int]:
    """Image → the live record that speaks for it: the first whose rights say yes, else the first."""
    ranks: dict[int, tuple[bool, int]] = {}
    for image_id, record_id, derivatives in session.execute(_SPEAKING, {"some": list(image_ids)}):
        rank = (derivatives is not Derivatives.YES, record_id)
        ranks[image_id] = min(rank, ranks.get(image_id, rank))
    return {image_id: record_id for image_id, (_, record_id) in ranks.items()}


def _told(row: dict[str, Any]) -> dict[str, Any]:
    words, people = row["archive_words"] or {}, row["authorities"] or ()
    told = {"archive_words": words, "authorities": tuple((name, address) for name, address in people)}
    return told | {"archive": archive_label(row["archive"])}


def _by_record(rows: Iterable[Any]) -> dict[int, list[Any]]:
    """What follows the record's number in each row."""
    found: dict[int, list[Any]] = defaultdict(list)
    for record_id, *rest in rows:
        found[record_id].append(tuple(rest))
    return found
