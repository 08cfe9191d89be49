"""The sweep's queries: a folder's images, every content × style as a pair, attempts of exactly these pairs.

A sweep compares configurations, so it takes whatever a person put into a folder and leaves alone what the night
chose: its pairs are candidates without a rank, which no night takes on.
"""

from collections.abc import Collection

from sqlalchemy import and_, exists, not_, select

from db.entries.claim import MatcherKey, ModelKey
from db.entries.night import AttemptEntry, BatchEntry, EncoderKey, ImageEntry, MatchEntry, MatchOutcome, RecipeEntry
from db.queries.base.store import chunks, image_entry
from db.queries.base.usable import found_by, harvested, usable
from db.queries.night import claims
from db.queries.night.attempts import AttemptQueries
from db.queries.night.dispatch import Taking
from db.queries.night.match import match_rows
from db.tables.night import Archive, Attempt, Image, Match, Record, RecordImage

PAIRED = {"why": "a sweep pairs every content with every style"}


class SweepQueries(AttemptQueries, Taking):
    """What the sweep says to the catalogue."""

    def archive_images(self, archive: str) -> tuple[list[ImageEntry], int]:
        """The images that live records of an archive name, of any tone, and how many more may not be used."""
        named = exists().where(
            RecordImage.image_id == Image.id,
            RecordImage.record_id == Record.id,
            Record.deleted_at.is_(None),
            Record.archive_id == Archive.id,
            Archive.name == archive,
        )
        allowed = and_(harvested(), usable(Image.id))
        with self._reading() as session:
            images = session.scalars(select(Image).where(named, allowed).order_by(Image.id)).all()
            others = session.scalars(select(Image.id).where(named, not_(allowed))).all()
            return [image_entry(image) for image in images], len(others)

    def pair_up(self, content_ids: Collection[int], style_ids: Collection[int], matcher: MatcherKey) -> list[int]:
        """Keep a match for every content × style but an image with itself; the pairs' numbers, content by content.

        A match of the pair that is here already stays as it is, chosen by a night or not.
        """
        pairs = [(content, style) for content in content_ids for style in style_ids if content != style]
        if not pairs:
            return []
        paired = [(content, MatchEntry(MatchOutcome.CANDIDATE, style, reasons=PAIRED)) for content, style in pairs]
        with self._writing() as session:
            session.execute(self._insert(Match).on_conflict_do_nothing(), match_rows(session, matcher, paired))
            found = select(Match.content_id, Match.style_id, Match.id).where(found_by(matcher))
            numbers: dict[tuple[int, int | None], int] = {}
            for content_id in set(content_ids):
                kept = session.execute(found.where(Match.content_id == content_id))
                numbers |= {(content, style): match_id for content, style, match_id in kept}
        return [numbers[pair] for pair in pairs]

    def take_pairs(
        self, recipe: RecipeEntry, models: Collection[ModelKey], match_ids: Collection[int], *, max_tries: int = 3
    ) -> BatchEntry | None:
        """As `take_batch`, of exactly these matches, whether a night would choose them or not."""
        offers = [claims.matches(claims.Chosen(Match.id.in_(some))) for some in chunks(match_ids)]
        return self._take(recipe, models, claims.Bounds(max_tries), offers)

    def pair_attempts(
        self, match_ids: Collection[int], recipe_digests: Collection[str], encoder: EncoderKey
    ) -> list[AttemptEntry]:
        """The last attempt of each pair by each recipe with this encoder, pending ones too; oldest first."""
        wanted = and_(
            Attempt.recipe_digest.in_(list(recipe_digests)),
            Attempt.encoder_name == encoder.name,
            Attempt.weights_checksum == encoder.checksum,
        )
        last: dict[tuple[int | None, str], AttemptEntry] = {}
        for some in chunks(match_ids):
            for attempt in self._attempts(and_(Attempt.match_id.in_(some), wanted)):
                last[attempt.match_id, attempt.recipe.digest] = attempt
        return sorted(last.values(), key=lambda attempt: attempt.id)
