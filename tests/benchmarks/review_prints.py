"""What archives, machine and curators would say of a million prints, drawn from a seed: no database is known here.

Whatever is said of a number is the same in every run. Three of five records are gray prints with an attempt each; a
third of the attempts is judged, some by two curators who did not see each other's word.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from db.entries.claim import MatcherKey, ModelKey
from db.entries.night import (
    AttemptResult,
    Derivatives,
    EncoderKey,
    ImageFacts,
    MatchEntry,
    MatchOutcome,
    Outcome,
    RecipeEntry,
    RecordEntry,
    RightsEntry,
    Tone,
    Verdict,
)
from db.entries.review import Judgement, Reason
from db.queries.review.verdicts import in_blind_share
from tests.benchmarks.review_names import ACTORS, ARTISTS, PLAYS, ROLES, SCENES, Drawn

ARCHIVES = ("ukiyo", "theatre", "university")
"""The first writes Japanese, the second Roman letters, the third both."""
ENCODER = EncoderKey("vgg19 random-seeded", "c0ffee")
MATCHER = MatcherKey("embedding", f"1-{ENCODER.checksum}")
MODELS = (ModelKey("encoder", ENCODER.name, ENCODER.checksum),)
RECIPES = tuple(
    RecipeEntry(name, {"iterations": 60, "tv_weight": 0.0}, sha256(name.encode()).hexdigest())
    for name in ("jadh2016/config3_3_4", "jadh2016/config1_1_1", "nishiki/chroma")
)
CURATORS = tuple(f"curator-{number:02d}" for number in range(24))
BLIND_SHARE = 0.05
CANDIDATES = 3
LEASES = 40
_MOMENT = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)
_CC0 = RightsEntry(Derivatives.YES, "licence URI in dc:rights", "http://creativecommons.org/publicdomain/zero/1.0/")
_VERSIONS, _CHROMA = {"torch": "2.13.0"}, {"chroma": 7.5}
_TRACE = tuple({"iteration": 20.0 * step, "loss": 1e6 / (1 + step)} for step in range(4))
_JUDGED = 1 / 3
_SECOND_LOOKS = 0.1
_JUDGEMENTS = (
    Judgement(Verdict.APPROVED),
    Judgement(Verdict.RETURNED, Reason.WRONG_MATCH),
    Judgement(Verdict.RETURNED, Reason.COLOUR_BLEEDING),
    Judgement(Verdict.RETURNED, Reason.INK_COLOURED),
    Judgement(Verdict.RETURNED, Reason.UNBELIEVABLE, "緑が強すぎる"),
    Judgement(Verdict.WITHHELD, note="rights to be asked"),
)
_OFTEN = (70, 9, 5, 4, 4, 8)


@dataclass(frozen=True)
class Said:
    """A verdict to be given: who says what, having seen nothing."""

    curator: str
    judgement: Judgement


@dataclass(frozen=True)
class Shelf:
    """So many records, and what the nights have made of them so far."""

    records: int
    per_batch: int = 1600
    seed: int = 6

    @property
    def contents(self) -> list[int]:
        """Record numbers of the gray prints, which are the numbers of their images too."""
        return [number for number in range(1, self.records + 1) if self.tone(number) is Tone.GRAYSCALE]

    def tone(self, number: int) -> Tone:
        """Gray prints and colour prints lie mixed."""
        return Tone.GRAYSCALE if number % 5 in (0, 2, 3) else Tone.COLOUR

    def archive(self, number: int) -> int:
        """The number of the archive that holds the record, from 1."""
        return 1 + number * 7 % 11 % len(ARCHIVES)

    def identifier(self, number: int) -> str:
        """The record's name at its archive, and the bytes of its picture."""
        return f"{ARCHIVES[self.archive(number) - 1][:3]}{number:07d}"

    def record(self, number: int) -> RecordEntry:
        """The description, with one picture."""
        draw, archive, identifier = self._draw("record", number), self.archive(number), self.identifier(number)
        year = draw.randrange(1760, 1890)
        cast = ((_name(draw, ROLES, archive), _name(draw, ACTORS, archive)) for _ in range(draw.choice((0, 1, 1, 2))))
        return RecordEntry(
            identifier=identifier,
            datestamp=_MOMENT,
            rights=_CC0,
            raw=f"<record><identifier>{identifier}</identifier></record>",
            title=f"{_name(draw, PLAYS, archive)}{_name(draw, SCENES, archive)}",
            artists=tuple(_name(draw, ARTISTS, archive) for _ in range(draw.choice((1, 1, 1, 2)))),
            cast=tuple(cast),
            date_text=f"{year}",
            year_from=None if draw.random() < 0.1 else year,
            year_to=year + draw.choice((0, 0, 1, 5)),
            genre="役者絵",
            holder=f"Drawn archive {archive}",
            credit_line=f"Drawn archive {archive}, no. {number}",
            landing_url=f"https://{ARCHIVES[archive - 1]}.example/{identifier}",
            pictures=(f"https://{ARCHIVES[archive - 1]}.example/{identifier}.jpg",),
        )

    def picture(self, data: str, tone: Tone) -> ImageFacts:
        """What decoding would tell of a picture of these bytes; there is no file."""
        return ImageFacts(sha256_of(data), 2400, 3600, "RGB", 2_345_678, tone, _CHROMA)

    def matches(self, content: int) -> list[MatchEntry]:
        """The chosen style and the candidates behind it."""
        draw = self._draw("match", content)
        score = round(draw.uniform(0.4, 0.98), 4)
        styles = list(dict.fromkeys(5 * draw.randrange(self.records // 5) + draw.choice((1, 4)) for _ in range(9)))
        return [
            MatchEntry(
                MatchOutcome.CANDIDATE if place else MatchOutcome.MATCHED,
                style,
                place + 1,
                round(score / (1 + place / 10), 4),
                {"layer": "conv5_1", "cosine": round(score / (1 + place / 10), 4), "years_apart": place},
            )
            for place, style in enumerate(styles[:CANDIDATES])
        ]

    def result(self, attempt: int) -> AttemptResult:
        """What the machine made, with its errors."""
        draw = self._draw("result", attempt)
        error = round(draw.lognormvariate(-1.6, 0.5), 5)
        return AttemptResult(
            Outcome.REJECTED if draw.random() < 0.08 else Outcome.SUCCEEDED,
            device="cpu",
            versions=_VERSIONS,
            seed=attempt,
            iterations=60,
            seconds=round(draw.uniform(2, 9), 2),
            content_error_sum=error,
            content_error_mean=error / 3,
            style_error_sum=2 * error,
            style_error_mean=error / 2,
            total_error_sum=3 * error,
            total_error_mean=error,
            measures={"ssim": 0.8, "colourfulness": round(100 * error, 2), "line_shift": 0.0},
            trace=_TRACE,
            output=self.picture(f"output of {attempt}", Tone.COLOUR),
        )

    def verdicts(self, attempt: int) -> Iterator[Said]:
        """What curators have said of it: mostly nothing; of blind pairs one word or two."""
        draw = self._draw("verdict", attempt)
        if draw.random() > _JUDGED:
            return
        first, second = draw.sample(CURATORS[:12], 2)
        yield Said(first, draw.choices(_JUDGEMENTS, _OFTEN)[0])
        if draw.random() < (0.5 if in_blind_share(attempt, BLIND_SHARE) else _SECOND_LOOKS):
            yield Said(second, draw.choices(_JUDGEMENTS, _OFTEN)[0])

    def recipe(self, batch: int) -> RecipeEntry:
        """One recipe for a batch."""
        return RECIPES[batch % len(RECIPES)]

    def _draw(self, what: str, number: int) -> random.Random:
        return random.Random(f"{self.seed} {what} {number}")


def sha256_of(data: str) -> str:
    """The name of a picture of these bytes."""
    return sha256(data.encode()).hexdigest()


def _name(draw: random.Random, names: Drawn, archive: int) -> str:
    kanji, roman = draw.choices(names[0], cum_weights=names[1])[0]
    return (kanji, roman, f"{roman} ({kanji})" if kanji else "")[archive - 1]
