"""What is said about images: the words of a record that names each one.

A live record whose rights allow derivatives speaks first, then any live one, then the one that first brought
the image: words must not come from a record that is withdrawn while another stands for the picture.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.entries import Derivatives, Description
from db.models import Archive, Image, Record, RecordArtist, RecordCast, RecordImage, Rights
from db.nouns.store import Store, chunks

_SAID = ("identifier", "title", "year_from", "year_to", "holder", "credit_line", "landing_url")


class DescribePart(Store):
    """What stands beside a picture wherever it is shown."""

    def describe(self, image_ids: Collection[int]) -> dict[int, Description]:
        """A record's words on each harvested image; made images have none and are left out."""
        with self._reading() as session:
            return describe(session, image_ids)


def describe(session: Session, image_ids: Collection[int]) -> dict[int, Description]:
    """As the method, within a transaction that is open already."""
    descriptions: dict[int, Description] = {}
    for some in chunks(image_ids):
        images = session.scalars(select(Image).where(Image.id.in_(some), Image.record_id.is_not(None))).all()
        live = speaking_records(session, some)
        speaking = {image.id: live.get(image.id, image.record_id or 0) for image in images}
        said = _said(session, speaking.values())
        artists = _in_order(session, RecordArtist, said)
        cast = _in_order(session, RecordCast, said)
        for image in images:
            record, rights, archive = said[speaking[image.id]]
            descriptions[image.id] = Description(
                image_id=image.id,
                sha256=image.sha256,
                archive=archive,
                artists=tuple(each.name for each in artists[record.id]),
                cast=tuple((each.role, each.actor) for each in cast[record.id]),
                rights_uri=rights.uri,
                derivatives=rights.derivatives,
                rights_basis=rights.basis,
                **{key: getattr(record, key) for key in _SAID},
            )
    return descriptions


def speaking_records(session: Session, image_ids: Collection[int]) -> dict[int, int]:
    """Image → the live record that speaks for it: the first whose rights say yes, else the first."""
    named = (
        select(Image.id, Record.id, Rights.derivatives)
        .join(RecordImage, RecordImage.image_id == Image.id)
        .join(Record, Record.id == RecordImage.record_id)
        .join(Rights, Rights.record_id == Record.id)
        .where(Image.id.in_(image_ids), Record.deleted_at.is_(None))
    )
    ranks: dict[int, tuple[bool, int]] = {}
    for image_id, record_id, derivatives in session.execute(named):
        rank = (derivatives is not Derivatives.YES, record_id)
        ranks[image_id] = min(rank, ranks.get(image_id, rank))
    return {image_id: record_id for image_id, (_, record_id) in ranks.items()}


def _said(session: Session, record_ids: Collection[int]) -> dict[int, tuple[Record, Rights, str]]:
    """The records by number, with their rights and archives' names."""
    found = (
        select(Record, Rights, Archive.name)
        .join(Rights, Rights.record_id == Record.id)
        .join(Archive, Archive.id == Record.archive_id)
        .where(Record.id.in_(set(record_ids)))
    )
    return {record.id: (record, rights, archive) for record, rights, archive in session.execute(found)}


def _in_order(session: Session, table: type[Any], record_ids: Collection[int]) -> dict[int, list[Any]]:
    rows: dict[int, list[Any]] = defaultdict(list)
    for some in chunks(record_ids):
        named = select(table).where(table.record_id.in_(some)).order_by(table.record_id, table.position)
        for row in session.scalars(named):
            rows[row.record_id].append(row)
    return rows
