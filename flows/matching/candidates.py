"""The styles that a night considers for its contents, scored: asked by `flows.match`, portion by portion.

Considered are those most alike by their features and those whose records share something. The drawings of the likeliest
are held against the content's; then the rule joins what is known of each pair.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from colorize.matching import tones
from colorize.matching.ranking import Portions, Vectors, centre_of, cosines, designs, rank
from db.catalogue import Catalogue
from db.entries.night import TONES, Description, EncoderKey
from flows.matching.drawings import Drawings
from flows.matching.known import Known, known
from flows.matching.pool import Index
from flows.matching.rule import Scored, score
from flows.matching.shared import PictureLikeness
from flows.matching.weights import MatchWeights

NEAREST: Final = 50
"""Styles considered for their features alone."""
BY_FEATURES, BY_RECORD = 12, 6
"""Styles whose drawings are held against a content's, until one is of its design."""
SCORED: Final = 128
"""Contents whose candidates' vectors are held at a time."""
LOOKS_THE_SAME: Final = 0.7
"""Cosine from which on two styles are taken for impressions of one design, of which one is enough."""
KEPT: Final = 20
"""Best styles of a content among which the night chooses."""


@dataclass(frozen=True)
class _Content:
    """What is known of a content."""

    record: Known
    vector: Vectors
    tones: Vectors | None


@dataclass(frozen=True)
class Candidates:
    """All that a night's matching knows of the pictures whose colours may be lent."""

    catalogue: Catalogue
    encoder: EncoderKey
    weights: MatchWeights
    actor_prints: Collection[str]
    drawings: Drawings
    memory_bytes: float
    """For the vectors among which the nearest are looked for."""

    def scored(self, contents: Sequence[int]) -> Iterator[tuple[int, list[Scored]]]:
        """Of each content, in their order, the best styles, best first; at most KEPT.

        Args:
            contents: image ids, each with a vector of the encoder.
        """
        for many in _some(contents, self._portions.queries):
            nearest = self._nearest(many)
            for few in _some(many, SCORED):
                yield from self._scored(few, nearest)

    def _scored(self, contents: Sequence[int], nearest: Mapping[int, list[int]]) -> Iterator[tuple[int, list[Scored]]]:
        said = self.catalogue.describe(contents)
        pools = {each: self._index.pool(self._known(said[each])) for each in contents}
        considered = {each: list(dict.fromkeys([*nearest[each], *pools[each]])) for each in contents}
        seen = self.catalogue.vectors_of(self.encoder, {*contents, *(i for row in considered.values() for i in row)})
        toned = self.catalogue.vectors_of(TONES, contents)
        for content_id in contents:
            compared = dict.fromkeys([*nearest[content_id][:BY_FEATURES], *pools[content_id][:BY_RECORD]])
            laid = self.drawings.first_of_design(said[content_id].sha256, self._pictures(compared))
            registrations = {laid[0]: laid[1].data()} if laid else {}
            content = _Content(self._known(said[content_id]), seen[content_id], toned.get(content_id))
            ids = [each for each in considered[content_id] if each in seen]
            found = self._score(content, {each: seen[each] for each in ids}, registrations)
            yield content_id, sorted(found, key=lambda each: (-each.score, each.style_id))[:KEPT]

    def pairs(self, content_id: int, style_ids: Sequence[int]) -> list[Scored]:
        """Of a content these styles, in this order, each with how it lies on it where both are of one design.

        Args:
            content_id: image id, with a vector of the encoder.
            style_ids: of usable colour pictures with a vector of the encoder; others are left out.
        """
        said = self.catalogue.describe([content_id])[content_id]
        seen = self.catalogue.vectors_of(self.encoder, {content_id, *style_ids})
        toned = self.catalogue.vectors_of(TONES, [content_id])
        ids = [each for each in style_ids if each in seen and each in self._records]
        laid = (self.drawings.first_of_design(said.sha256, self._pictures([each])) for each in ids)
        registrations = {found[0]: found[1].data() for found in laid if found}
        content = _Content(self._known(said), seen[content_id], toned.get(content_id))
        return self._score(content, {each: seen[each] for each in ids}, registrations)

    def _score(
        self, content: _Content, styles: Mapping[int, Vectors], registrations: Mapping[int, Mapping[str, Any]]
    ) -> list[Scored]:
        """Of each style, by its vector, in the order given."""
        alike = cosines(content.vector, list(styles.values()), self._centre)
        suited = self._tones(content.tones, list(styles))
        likenesses = (
            PictureLikeness(cosine, None, registrations.get(style_id), *suited.get(style_id, ()))
            for style_id, cosine in zip(styles, alike.tolist(), strict=True)
        )
        return [
            score(content.record, self._records[style_id], likeness, self.weights)
            for style_id, likeness in zip(styles, likenesses, strict=True)
        ]

    def designs(self, style_ids: Collection[int]) -> Mapping[int, int]:
        """Style → the least id of those that are, by their features, of its design."""
        seen = self.catalogue.vectors_of(self.encoder, style_ids)
        return designs(seen, self._centre, LOOKS_THE_SAME)

    def _nearest(self, contents: Sequence[int]) -> Mapping[int, list[int]]:
        vectors = self.catalogue.vectors(self.encoder, contents)
        ranked = rank(vectors, self._blocks, NEAREST, self._centre)
        return {content_id: [each.id for each in row] for content_id, row in zip(contents, ranked, strict=True)}

    def _known(self, said: Description) -> Known:
        return known(said, self.actor_prints)

    def _blocks(self) -> Iterable[tuple[NDArray[np.int64], Vectors]]:
        return self.catalogue.vectors_in_blocks(self.encoder, self._style_ids, block=self._portions.styles)

    @cached_property
    def _style_ids(self) -> list[int]:
        return self.catalogue.style_ids(self.encoder)

    @cached_property
    def _portions(self) -> Portions:
        return Portions.of(self.memory_bytes, self.catalogue.dimensions(self.encoder) or 1)

    @cached_property
    def _centre(self) -> Vectors | None:
        return centre_of(self._blocks)

    @cached_property
    def _said(self) -> Mapping[int, Description]:
        return self.catalogue.describe(self._style_ids)

    @cached_property
    def _records(self) -> Mapping[int, Known]:
        return {style_id: self._known(said) for style_id, said in self._said.items()}

    @cached_property
    def _index(self) -> Index:
        return Index.of(self._records.values())

    def _pictures(self, style_ids: Iterable[int]) -> Iterator[tuple[int, str]]:
        return ((each, self._said[each].sha256) for each in style_ids)

    @cached_property
    def _toned(self) -> tuple[Mapping[int, int], Vectors]:
        """Image id → row, and the rows."""
        known = self.catalogue.vectors_of(TONES, self._style_ids)
        rows = np.stack(list(known.values())) if known else np.zeros((0, tones.LENGTH), np.float32)
        return {each: place for place, each in enumerate(known)}, rows

    @cached_property
    def _usual(self) -> Vectors:
        median: Vectors = np.median(self._toned[1], axis=0)
        return median

    def _tones(self, content: Vectors | None, style_ids: Sequence[int]) -> Mapping[int, tuple[float, float, float]]:
        """Style → distance of lightness, spread and cast; those whose tones are not known are left out."""
        places, rows = self._toned
        known_ids = [each for each in style_ids if each in places]
        if content is None or not known_ids:
            return {}
        theirs = rows[[places[each] for each in known_ids]]
        measured = (tones.distance(content, theirs), tones.spread(theirs), tones.cast(theirs, self._usual))
        return dict(zip(known_ids, zip(*(each.tolist() for each in measured), strict=True), strict=True))


def _some(ids: Sequence[int], count: int) -> Iterator[Sequence[int]]:
    return (ids[start : start + count] for start in range(0, len(ids), count))
