"""The styles that a night considers for its contents, scored: asked by `flows.match`, portion by portion.

Considered are those most alike by their features or composition, and those whose records share something. The drawings
of the likeliest are held against the content's; then the rule joins what is known of each pair.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from colorize.matching import composition, tones
from colorize.matching.ranking import Portions, Vectors, centre_of, cosines, designs, rank
from db.catalogue import Catalogue
from db.entries.night import COMPOSITION, TONES, Description, EncoderKey
from flows.matching.drawings import Drawings
from flows.matching.known import Known, known
from flows.matching.pool import Index
from flows.matching.rule import Scored, score
from flows.matching.shared import PictureLikeness
from flows.matching.weights import MatchWeights

NEAREST: Final = 50
"""Styles considered for their features alone."""
BY_COMPOSITION, BY_FEATURES, BY_RECORD = 6, 8, 6
"""Styles whose drawings are held against a content's, in this order, until one is of its design."""
SCORED: Final = 128
"""Contents whose candidates' vectors are held at a time."""
LOOKS_THE_SAME: Final = 0.7
"""Cosine from which on two styles are taken for impressions of one design, of which one is enough."""
KEPT: Final = 20
"""Best styles of a content among which the night chooses."""


@dataclass(frozen=True)
class _Seen:
    """Vectors of pictures that are compared, by image; some may be missing."""

    features: Mapping[int, Vectors]
    compositions: Mapping[int, Vectors]
    tones: Mapping[int, Vectors]


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
            nearest = self._nearest(self.encoder, many, NEAREST, self._centre)
            composed = self._nearest(COMPOSITION, many, BY_COMPOSITION, self._usual_composition)
            for few in _some(many, SCORED):
                yield from self._scored(few, nearest, composed)

    def _scored(
        self, contents: Sequence[int], nearest: Mapping[int, list[int]], composed: Mapping[int, list[int]]
    ) -> Iterator[tuple[int, list[Scored]]]:
        said = self.catalogue.describe(contents)
        pools = {each: self._index.pool(self._known(said[each])) for each in contents}
        considered = {each: {*nearest[each], *pools[each], *composed.get(each, ())} for each in contents}
        seen = self._seen({*contents, *(style_id for row in considered.values() for style_id in row)})
        for content_id in contents:
            compared = short_list(composed.get(content_id, ()), nearest[content_id], pools[content_id])
            laid = self.drawings.first_of_design(said[content_id].sha256, self._pictures(compared))
            registrations = {laid[0]: laid[1].data()} if laid else {}
            found = self._score(said[content_id], considered[content_id], seen, registrations)
            yield content_id, sorted(found, key=lambda each: (-each.score, each.style_id))[:KEPT]

    def pairs(self, content_id: int, style_ids: Sequence[int]) -> list[Scored]:
        """Of a content these styles, in this order, each with how it lies on it where both are of one design.

        Args:
            content_id: image id, with a vector of the encoder.
            style_ids: of usable colour pictures with a vector of the encoder; others are left out.
        """
        said = self.catalogue.describe([content_id])[content_id]
        ids = [each for each in style_ids if each in self._records]
        laid = (self.drawings.first_of_design(said.sha256, self._pictures([each])) for each in ids)
        registrations = {found[0]: found[1].data() for found in laid if found}
        return self._score(said, ids, self._seen({content_id, *ids}), registrations)

    def _score(
        self, content: Description, style_ids: Iterable[int], seen: _Seen,
        registrations: Mapping[int, Mapping[str, Any]],
    ) -> list[Scored]:  # fmt: skip
        """Of each style that the encoder has seen, in the order given."""
        ids, record = [each for each in style_ids if each in seen.features], self._known(content)
        alike = cosines(seen.features[content.image_id], [seen.features[each] for each in ids], self._centre)
        composed = self._composed(content.image_id, ids, seen.compositions)
        suited = self._tones(content.image_id, ids, seen.tones)
        likenesses = (
            PictureLikeness(cosine, composed.get(each), registrations.get(each), *suited.get(each, ()))
            for each, cosine in zip(ids, alike.tolist(), strict=True)
        )
        return [
            score(record, self._records[each], likeness, self.weights)
            for each, likeness in zip(ids, likenesses, strict=True)
        ]

    def designs(self, style_ids: Collection[int]) -> Mapping[int, int]:
        """Style → the least id of those that are, by their features, of its design."""
        seen = self.catalogue.vectors_of(self.encoder, style_ids)
        return designs(seen, self._centre, LOOKS_THE_SAME)

    def _nearest(
        self, key: EncoderKey, contents: Sequence[int], most: int, centre: Vectors | None
    ) -> Mapping[int, list[int]]:
        """Of each content that has a vector of this kind the styles most alike, best first."""
        known = self.catalogue.vectors_of(key, contents)
        if not known:
            return {}
        ranked = rank(np.stack(list(known.values())), lambda: self._blocks_of(key), most, centre)
        return {content_id: [each.id for each in row] for content_id, row in zip(known, ranked, strict=True)}

    def _known(self, said: Description) -> Known:
        return known(said, self.actor_prints)

    def _blocks_of(self, key: EncoderKey) -> Iterable[tuple[NDArray[np.int64], Vectors]]:
        return self.catalogue.vectors_in_blocks(key, self._style_ids, block=self._portions.styles)

    @cached_property
    def _style_ids(self) -> list[int]:
        return self.catalogue.style_ids(self.encoder)

    @cached_property
    def _portions(self) -> Portions:
        return Portions.of(self.memory_bytes, self.catalogue.dimensions(self.encoder) or 1)

    @cached_property
    def _centre(self) -> Vectors | None:
        return centre_of(lambda: self._blocks_of(self.encoder))

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

    def _seen(self, image_ids: Collection[int]) -> _Seen:
        return _Seen(*(self.catalogue.vectors_of(key, image_ids) for key in (self.encoder, COMPOSITION, TONES)))

    @cached_property
    def _usual_composition(self) -> Vectors | None:
        return centre_of(lambda: self._blocks_of(COMPOSITION))

    def _composed(self, content_id: int, style_ids: Iterable[int], seen: Mapping[int, Vectors]) -> Mapping[int, float]:
        """Style → likeness of the composition; those of which it is not known are left out."""
        ids = [each for each in style_ids if each in seen]
        usual = self._usual_composition
        if content_id not in seen or not ids or usual is None:
            return {}
        alike = composition.likeness(seen[content_id], np.stack([seen[each] for each in ids]), usual)
        return dict(zip(ids, alike.tolist(), strict=True))

    @cached_property
    def _usual_tones(self) -> Vectors:
        median: Vectors = np.median(list(self.catalogue.vectors_of(TONES, self._style_ids).values()), axis=0)
        return median

    def _tones(
        self, content_id: int, style_ids: Iterable[int], seen: Mapping[int, Vectors]
    ) -> Mapping[int, tuple[float, float, float]]:
        """Style → distance of lightness, spread and cast; those of which they are not known are left out."""
        ids = [each for each in style_ids if each in seen]
        if content_id not in seen or not ids:
            return {}
        theirs = np.stack([seen[each] for each in ids])
        measured = (
            tones.distance(seen[content_id], theirs),
            tones.spread(theirs),
            tones.cast(theirs, self._usual_tones),
        )
        return dict(zip(ids, zip(*(each.tolist() for each in measured), strict=True), strict=True))


def short_list(composed: Sequence[int], nearest: Sequence[int], pool: Sequence[int]) -> list[int]:
    """Whose drawings are held against a content's: of those composed most alike, nearest by features, and by record."""
    return list(dict.fromkeys([*composed[:BY_COMPOSITION], *nearest[:BY_FEATURES], *pool[:BY_RECORD]]))


def _some(ids: Sequence[int], count: int) -> Iterator[Sequence[int]]:
    return (ids[start : start + count] for start in range(0, len(ids), count))
