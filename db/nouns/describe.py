"""What is said about images: the words of the record that first brought each one."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.entries import Description
from db.models import Archive, Image, Record, RecordArtist, RecordCast, Rights
from db.nouns.store import Store, chunks

_SAID = ("identifier", "title", "year_from", "year_to", "holder", "credit_line", "landing_url")


class DescribePart(Store):
    """What stands beside a picture wherever it is shown."""

    def describe(self, image_ids: Collection[int]) -> dict[int, Description]:
        """The first record's words on each harvested image; made images have none and are left out."""
        with self._reading() as session:
            return describe(session, image_ids)


def describe(session: Session, image_ids: Collection[int]) -> dict[int, Description]:
    """As the method, within a transaction that is open already."""
    descriptions: dict[int, Description] = {}
    for some in chunks(image_ids):
        found = session.execute(
            select(Image, Record, Rights, Archive.name)
            .join(Record, Record.id == Image.record_id)
            .join(Rights, Rights.record_id == Record.id)
            .join(Archive, Archive.id == Record.archive_id)
            .where(Image.id.in_(some))
        ).all()
        record_ids = {record.id for _, record, _, _ in found}
        artists = _in_order(session, RecordArtist, record_ids)
        cast = _in_order(session, RecordCast, record_ids)
        for image, record, rights, archive in found:
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


def _in_order(session: Session, table: type[Any], record_ids: Collection[int]) -> dict[int, list[Any]]:
    rows: dict[int, list[Any]] = defaultdict(list)
    for some in chunks(record_ids):
        named = select(table).where(table.record_id.in_(some)).order_by(table.record_id, table.position)
        for row in session.scalars(named):
            rows[row.record_id].append(row)
    return rows
