"""Entries as an archive, an encoder and a colorizer would give them, for tests that need a filled catalogue."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from db.catalogue import Catalogue
from db.entries.claim import ENCODER as ENCODES
from db.entries.claim import MatcherKey, ModelKey
from db.entries.night import (
    AttemptResult,
    BatchEntry,
    Derivatives,
    EncoderKey,
    ImageFacts,
    MatchEntry,
    MatchOutcome,
    Outcome,
    PictureSource,
    RecipeEntry,
    RecordEntry,
    RightsEntry,
    Tone,
)
from db.files.home import HomeFolder
from db.files.tiles import TileStore
from db.settings import CatalogueSettings

ENCODER = EncoderKey("vgg19 random-seeded", "c0ffee")
RECIPE = RecipeEntry("jadh2016/config3_3_4", {"iterations": 60, "tv_weight": 0.0}, "d1ge57")


@dataclass
class Sample:
    """Entries as an archive, an encoder and a colorizer would give them."""

    encoder: EncoderKey = ENCODER
    recipe: RecipeEntry = RECIPE
    genre: str = "役者絵"
    moment: datetime = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)
    archives: dict[str, int] = field(default_factory=dict)

    @property
    def matcher(self) -> MatcherKey:
        """What its matches are found with."""
        return MatcherKey("embedding", f"2-{self.encoder.checksum}")

    @property
    def models(self) -> tuple[ModelKey, ...]:
        """What its attempts are made with."""
        return (ModelKey(ENCODES, self.encoder.name, self.encoder.checksum),)

    def record(self, identifier: str, **changes: Any) -> RecordEntry:
        """A record with one picture, whose rights allow derivatives."""
        derivatives = changes.pop("derivatives", Derivatives.YES)
        entry = RecordEntry(
            identifier=identifier,
            datestamp=self.moment,
            rights=RightsEntry(derivatives, "licence URI in dc:rights", "http://example.org/cc0"),
            raw=f"<record>{identifier}</record>",
            title=f"Print {identifier}",
            artists=("Sample artist", "Another"),
            cast=(("Gorō", "Sample actor"), ("", "Second actor")),
            year_from=1850,
            year_to=1852,
            genre=self.genre,
            holder="Sample holder",
            pictures=(f"https://archive.example/{identifier}.png",),
        )
        return replace(entry, **changes)

    def facts(self, data: bytes, tone: Tone) -> ImageFacts:
        """What decoding would tell of these bytes."""
        sha256 = hashlib.sha256(data).hexdigest()
        return ImageFacts(sha256, 48, 64, "RGB", len(data), tone, {"chroma": 7.5, "rules": 1000.0})

    def archive(self, catalogue: Catalogue, name: str = "sample") -> int:
        """The archive's number."""
        return catalogue.add_archive(name, "oai-pmh", f"https://{name}.example/oai")

    def store(self, catalogue: Catalogue, record: RecordEntry, tone: Tone, **options: Any) -> int:
        """Harvest a record with its picture, as the flow does; the image's number."""
        archive_id = self.archive(catalogue, options.get("archive", "sample"))
        data: bytes = options.get("data", record.identifier.encode())
        catalogue.add_record(archive_id, record)
        wanted = [each for each in catalogue.wanted_pictures(archive_id) if each.identifier == record.identifier]
        catalogue.working_copies.add(catalogue.pictures.add(data, ".png"), b"a working copy")
        source = PictureSource(wanted[0].reference, etag='"1"')
        facts = replace(self.facts(data, tone), notes=options.get("notes", ()))
        return catalogue.hold_picture(wanted[0], facts, source)

    def pairs(self, catalogue: Catalogue, count: int) -> list[tuple[int, int]]:
        """So many matched pairs of (content, style) image numbers."""
        made = []
        for number in range(count):
            content = self.store(catalogue, self.record(f"gray-{number}"), Tone.GRAYSCALE)
            style = self.store(catalogue, self.record(f"colour-{number}"), Tone.COLOUR)
            self.match(catalogue, content, style)
            made.append((content, style))
        return made

    def match(self, catalogue: Catalogue, content: int, style: int, *others: int, score: float = 0.9) -> None:
        """Keep the style as the match of the content, and others as candidates behind it."""
        entry = MatchEntry(MatchOutcome.MATCHED, style, 1, score, {"cosine": score})
        ranked = enumerate(others, start=2)
        behind = [MatchEntry(MatchOutcome.CANDIDATE, other, rank, score / rank) for rank, other in ranked]
        catalogue.add_matches(content, self.matcher, [entry, *behind])

    def entry(self, catalogue: Catalogue, record: RecordEntry, score: float = 0.9, **result: Any) -> int:
        """Harvest, match and colorize a gray print, as a night does; the attempt that waits for a verdict."""
        harvested = {"archive": result.pop("archive", "sample"), "notes": result.pop("notes", ())}
        self.matched(catalogue, record, score, **harvested)
        return self.night(catalogue, **result)[0]

    def entries(self, catalogue: Catalogue, count: int) -> list[int]:
        """So many attempts of one night that wait for a verdict, best first."""
        for n in range(count):
            self.matched(catalogue, self.record(f"r{n}"), 0.9 - n / 100)
        return self.night(catalogue)

    def matched(self, catalogue: Catalogue, record: RecordEntry, score: float, **harvested: Any) -> None:
        """Harvest a gray print and a colour one, and match them."""
        content = self.store(catalogue, record, Tone.GRAYSCALE, **harvested)
        style = self.store(catalogue, self.record(f"colour of {record.identifier}"), Tone.COLOUR)
        self.match(catalogue, content, style, score=score)

    def night(self, catalogue: Catalogue, **result: Any) -> list[int]:
        """Colorize what is due; the attempts made."""
        batch = self.take(catalogue)
        made = [pending.id for pending in catalogue.pending_attempts(batch)]
        for number in made:
            done = self.succeeded(catalogue, f"output of {number}")
            catalogue.close_attempt(batch, number, replace(done, **result))
        catalogue.close_batch(batch)
        return made

    def take(self, catalogue: Catalogue, limit: int | None = None) -> BatchEntry:
        """A batch of what is due; there must be something."""
        batch = catalogue.take_batch(self.recipe, self.models, self.matcher, limit=limit)
        assert batch is not None
        return batch

    def tile(self, catalogue: Catalogue) -> None:
        """Leave a folder of tiles, empty, for every picture that the page shows."""
        store = TileStore(catalogue.pictures.root.parent / HomeFolder.TILES)
        for sha256 in {each for shown in catalogue.pictures_shown() for each in shown.all}:
            store.add(sha256, lambda _: None)

    @contextmanager
    def both(self, settings: CatalogueSettings) -> Iterator[tuple[Catalogue, Catalogue]]:
        """Two catalogues with connections of their own, as two processes have them."""
        with Catalogue.open(settings) as one, Catalogue.open(settings) as other:
            yield one, other

    def succeeded(self, catalogue: Catalogue, name: str = "output", data: bytes | None = None) -> AttemptResult:
        """A result whose output's file is in the store."""
        data = name.encode() if data is None else data
        catalogue.pictures.add(data, ".png")
        return AttemptResult(
            Outcome.SUCCEEDED,
            device="cpu",
            versions={"torch": "2.13.0"},
            seed=2**40,
            iterations=60,
            seconds=1.5,
            content_error_sum=0.1,
            content_error_mean=0.1,
            style_error_sum=0.2,
            style_error_mean=0.2,
            total_error_sum=0.3,
            total_error_mean=0.3,
            measures={"ssim": 0.8},
            trace=({"loss": 2.0}, {"loss": 1.0}),
            output=self.facts(data, Tone.COLOUR),
        )

    def vector(self, seed: int) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """A unit vector of 8 numbers, float32."""
        drawn = np.random.default_rng(seed).standard_normal(8).astype(np.float32)
        return drawn / np.float32(np.linalg.norm(drawn))
