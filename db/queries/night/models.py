"""Trained colorizers: the prints that one may learn from, and the register of those that were made."""

from collections import defaultdict
from dataclasses import fields

from sqlalchemy import select, update

from db.entries.models import ColourPrint, ModelEntry
from db.entries.night import Tone
from db.errors import UnknownEntry
from db.queries.base.store import changed, now
from db.queries.base.tallies import TallyQueries
from db.queries.base.usable import harvested, usable
from db.tables.night import Image, Match, Model, Record, Rights

_KEPT = [each.name for each in fields(ModelEntry)]


class ModelQueries(TallyQueries):
    """What training says to the catalogue."""

    def colour_prints(self) -> list[ColourPrint]:
        """Harvested colour images whose rights allow derivatives, in the order in which they came.

        Two that were found to be of one design with the same content are of one design.
        """
        asked = (
            select(Image.id, Image.sha256, Record.identifier, Rights.text)
            .join(Record, Record.id == Image.record_id)
            .join(Rights, Rights.record_id == Record.id, isouter=True)
            .where(harvested(), Image.tone == Tone.COLOUR, usable(Image.id))
            .order_by(Image.id)
        )
        same = select(Match.style_id, Match.content_id).where(Match.registration.is_not(None))
        with self._reading() as session:
            designs: defaultdict[int | None, set[str]] = defaultdict(set)
            for style_id, content_id in session.execute(same):
                designs[style_id].add(f"content:{content_id}")
            return [
                ColourPrint(identifier, sha256, statement or "", frozenset(designs[image_id]))
                for image_id, sha256, identifier, statement in session.execute(asked)
            ]

    def add_model(self, model: ModelEntry) -> None:
        """Register a model whose file is kept; one that is registered stays as it is."""
        row = {name: getattr(model, name) for name in _KEPT}
        with self._writing() as session:
            row |= {"settings": dict(model.settings), "measures": dict(model.measures)}
            session.execute(self._insert(Model).values(row).on_conflict_do_nothing())

    def models(self) -> list[ModelEntry]:
        """All, the newest first."""
        with self._reading() as session:
            rows = session.scalars(select(Model).order_by(Model.made_at.desc(), Model.checksum)).all()
            return [ModelEntry(**{name: getattr(row, name) for name in _KEPT}) for row in rows]

    def retire_model(self, checksum: str) -> None:
        """No new work is begun with it; what was made with it stays.

        Raises:
            UnknownEntry: it is not registered.
        """
        retire = update(Model).where(Model.checksum == checksum).values(retired_at=now())
        with self._writing() as session:
            if not changed(session, retire):
                raise UnknownEntry(f"no model {checksum[:12]} is registered; see: nishiki models list")
