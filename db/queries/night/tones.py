"""The tones of harvested pictures: counted, listed, judged again by newer rules, and given by curators.

What the machine said and what a person said stand apart: `images.tone_measures` and `tones_given`. `images.tone` is
what the nights go by: the newest word of a person, or else the machine's, which `images.machine_tone` keeps meanwhile.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from db.entries.night import Tone
from db.entries.tones import GivenTone, KeptPicture, TonedPicture
from db.errors import UnknownEntry
from db.queries.base.describe import describe
from db.queries.base.store import now
from db.queries.base.tallies import TallyQueries
from db.queries.base.usable import harvested
from db.tables.night import Image, Record, RecordImage, ToneGiven


class ToneQueries(TallyQueries):
    """What the catalogue is asked about tones."""

    def tones(self) -> dict[Tone, int]:
        """How many pictures of live records have each tone, those with none too."""
        counted = select(Image.tone, func.count()).where(harvested(), _live()).group_by(Image.tone)

        def ask() -> dict[str, int]:
            with self._reading() as session:
                return {str(tone): number for tone, number in session.execute(counted)}

        found = self._answer(counted, (Record, RecordImage, Image), ask)
        return dict.fromkeys(Tone, 0) | {Tone(word): number for word, number in found.items()}

    def toned_pictures(self, tone: Tone, *, after: int = 0, limit: int) -> list[TonedPicture]:
        """Pictures of live records that have this tone, in the order of their numbers, those behind `after`."""
        wanted = select(Image).where(harvested(), _live(), Image.tone == tone, Image.id > after)
        with self._reading() as session:
            images = session.scalars(wanted.order_by(Image.id).limit(limit)).all()
            return _pictures(session, images)

    def toned_picture(self, image_id: int) -> TonedPicture:
        """A harvested picture with its tone.

        Raises:
            UnknownEntry: there is none of this number.
        """
        with self._reading() as session:
            return _pictures(session, [_harvested(session, image_id)])[0]

    def pictures_of(self, identifier: str) -> list[int]:
        """The numbers of the pictures that live records of this identifier name."""
        named = select(RecordImage.image_id).join(Record).where(Record.identifier == identifier)
        named = named.where(Record.deleted_at.is_(None), RecordImage.image_id.is_not(None))
        with self._reading() as session:
            return sorted(set(filter(None, session.scalars(named))))

    def give_tone(self, image_id: int, curator: str, tone: Tone) -> Tone:
        """Keep a person's word on a picture's tone, which nights go by from now on; what it was before.

        What was made of the picture, or in its colours, stays as it is.

        Raises:
            UnknownEntry: there is no harvested picture of this number.
        """
        with self._writing() as session:
            image = _harvested(session, image_id, for_update=True)
            image.machine_tone = image.machine_tone or image.tone
            return _set_tone(session, image, curator, tone)

    def take_tone_back(self, image_id: int, curator: str) -> bool:
        """Let the machine's word on a picture's tone hold again; False: no person's stands.

        Raises:
            UnknownEntry: there is no harvested picture of this number.
        """
        with self._writing() as session:
            image = _harvested(session, image_id, for_update=True)
            if (judged := image.machine_tone) is None:
                return False
            image.machine_tone = None
            _set_tone(session, image, curator, judged, taken_back=True)
            return True

    def judged_before(self, rules: int) -> list[KeptPicture]:
        """Harvested pictures whose tone earlier rules judged."""
        old = func.coalesce(Image.tone_measures["rules"].as_float(), 0) < rules
        pictures = select(Image.id, Image.sha256, Image.mode).where(harvested(), old).order_by(Image.id)
        with self._reading() as session:
            return [KeptPicture(*row) for row in session.execute(pictures)]

    def judge_tone_again(self, image_id: int, tone: Tone, measures: Mapping[str, Any]) -> tuple[Tone, Tone]:
        """Keep what newer rules say; the tone before and the tone now. A person's word on the picture holds."""
        with self._writing() as session:
            image = _harvested(session, image_id, for_update=True)
            before, image.tone_measures = image.tone, dict(measures)
            if image.machine_tone is None:
                image.tone = tone
            else:
                image.machine_tone = tone
            return before, image.tone


def _live() -> ColumnElement[bool]:
    return exists().where(
        RecordImage.image_id == Image.id, Record.id == RecordImage.record_id, Record.deleted_at.is_(None)
    )


def _harvested(session: Session, image_id: int, *, for_update: bool = False) -> Image:
    image = session.get(Image, image_id, with_for_update=for_update)
    if image is None or image.record_id is None:
        raise UnknownEntry(f"there is no harvested picture {image_id}; the page of tones lists their numbers")
    return image


def _set_tone(session: Session, image: Image, curator: str, tone: Tone, *, taken_back: bool = False) -> Tone:
    """Keep the word, and go by it; the tone before."""
    before, image.tone = image.tone, tone
    word = {"image_id": image.id, "curator": curator, "tone": tone, "before": before, "given_at": now()}
    session.add(ToneGiven(**word, taken_back=taken_back))
    return before


def _word(row: ToneGiven) -> GivenTone:
    return GivenTone(row.curator, row.tone, row.before, row.given_at, row.taken_back)


def _pictures(session: Session, images: Sequence[Image]) -> list[TonedPicture]:
    numbers = [image.id for image in images]
    said = describe(session, numbers)
    words: dict[int, list[GivenTone]] = {number: [] for number in numbers}
    for word in session.scalars(select(ToneGiven).where(ToneGiven.image_id.in_(numbers)).order_by(ToneGiven.id)):
        words[word.image_id].append(_word(word))
    return [
        TonedPicture(image.id, image.sha256, image.tone, said[image.id], image.machine_tone, tuple(words[image.id]))
        for image in images
    ]
