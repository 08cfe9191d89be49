"""What JADH 2016 says of its configurations, as data, and how a sweep of ours stands to it.

Agreement is reported, never assumed: each line says what was found here. `flows.sweep.report` calls it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flows.sweep.tables import ConfigRow

SOURCE = (
    "Nguyen, Thawonmas, Suzuki, Kidachi: Comparisons of Different Configurations for Image Colorization of Cultural "
    "Images Using a Pre-trained Convolutional Neural Network, JADH 2016"
)
"""Its figures are means over 10 gray contents × 10 colour styles; encoder, size and iterations are left open."""
VISUAL_BEST = "jadh2016/config3_3_4"
LEAST = {
    "content error": "jadh2016/config3_1_4",
    "style error": "jadh2016/config2_3_1",
    "total error": "jadh2016/config3_3_1",
}
"""The paper's configuration of least relative error, by error."""
FIRST_PLACES = {"content error": 5, "style error": None, "total error": None}
"""Where the paper places its visual best: "among the best five" by content error; of the others it says nothing."""
MORE_COLOURFUL = ("jadh2016/config2_3_1", "jadh2016/config3_3_1")
"""The paper finds its visual best "not as colourful as" these."""

Agrees = Literal["yes", "no", "shared", "the paper does not say", "not measured here"]
"""`shared`: it holds only where configurations of equal figures are told apart, as where all stayed gray."""


@dataclass(frozen=True)
class BestOf:
    """One line of the best-of table."""

    criterion: str
    published: str
    """The paper's configuration."""
    ours: str
    """The configuration that this sweep finds, and its figure."""
    here: str
    """What the paper's configuration came to in this sweep: figure and rank."""
    agrees: Agrees

    @property
    def words(self) -> tuple[str, ...]:
        """The line under `HEADER`."""
        return self.criterion, self.published, self.ours, self.here, self.agrees


HEADER = ("criterion", "JADH 2016", "this sweep", "the paper's configuration here", "agrees")


def best_of(rows: Sequence[ConfigRow]) -> list[BestOf]:
    """The paper's three best, the ranks of its visual best and what it says of colour; empty without its recipes."""
    own = [row for row in rows if row.recipe.name.startswith("jadh2016/")]
    if not own:
        return []
    least = [_least(own, figure, name) for figure, name in LEAST.items()]
    ranks = [_rank_line(own, figure, places) for figure, places in FIRST_PLACES.items()]
    return [*least, *ranks, *(_colour_line(own, name) for name in MORE_COLOURFUL)]


def least_of(rows: Sequence[ConfigRow], figure: str) -> ConfigRow | None:
    """The configuration whose mean is least, the first of equal ones; None: nothing has the figure."""
    known = [row for row in rows if figure in row.figures]
    return min(known, key=lambda row: row.figures[figure].mean, default=None)


@dataclass(frozen=True)
class Rank:
    """Places from 1 that a configuration takes by mean, least first; equal means share theirs."""

    first: int
    last: int
    of: int

    def __str__(self) -> str:
        return (
            f"place {self.first} of {self.of}"
            if self.first == self.last
            else (f"places {self.first} to {self.last} of {self.of}, shared")
        )

    def within(self, best: int) -> Agrees:
        """Is the configuration among so many best?"""
        return "yes" if self.last <= best else "no" if self.first > best else "shared"


def rank_of(rows: Sequence[ConfigRow], figure: str, name: str) -> Rank | None:
    """Where a configuration stands by mean; None: it has no such figure."""
    means = {row.recipe.name: row.figures[figure].mean for row in rows if figure in row.figures}
    if name not in means:
        return None
    less = sum(mean < means[name] for mean in means.values())
    return Rank(less + 1, sum(mean <= means[name] for mean in means.values()), len(means))


def _least(rows: Sequence[ConfigRow], figure: str, published: str) -> BestOf:
    best, rank = least_of(rows, figure), rank_of(rows, figure, published)
    ours = f"{best.recipe.name}, {_figure(best, figure)}" if best else "none"
    agrees = rank.within(1) if rank else "not measured here"
    return BestOf(f"least {figure}", published, ours, _here(rows, figure, published), agrees)


def _rank_line(rows: Sequence[ConfigRow], figure: str, places: int | None) -> BestOf:
    rank = rank_of(rows, figure, VISUAL_BEST)
    said = f"{VISUAL_BEST}, among the best {places}" if places else VISUAL_BEST
    agrees: Agrees = "the paper does not say"
    if rank is None:
        agrees = "not measured here"
    elif places is not None:
        agrees = rank.within(places)
    ours = str(rank) if rank else "none"
    return BestOf(f"visual best, by {figure}", said, ours, _here(rows, figure, VISUAL_BEST), agrees)


def _colour_line(rows: Sequence[ConfigRow], other: str) -> BestOf:
    known = {row.recipe.name: row.figures["colourfulness"].mean for row in rows if "colourfulness" in row.figures}
    criterion = f"visual best less colourful than {other}"
    if VISUAL_BEST not in known or other not in known:
        return BestOf(criterion, VISUAL_BEST, "none", "", "not measured here")
    its, others = known[VISUAL_BEST], known[other]
    agrees: Agrees = "yes" if its < others else "no" if its > others else "shared"
    ours = f"colourfulness {its:.1f} against {others:.1f}"
    return BestOf(criterion, VISUAL_BEST, ours, _here(rows, "colourfulness", VISUAL_BEST), agrees)


def _here(rows: Sequence[ConfigRow], figure: str, name: str) -> str:
    rank = rank_of(rows, figure, name)
    if rank is None:
        return ""
    row = next(row for row in rows if row.recipe.name == name)
    return f"{_figure(row, figure)}, {rank}"


def _figure(row: ConfigRow, figure: str) -> str:
    """The mean, and how many of its attempts were rejected: pictures that stay gray have a small content error."""
    rejected = row.counts["rejected"]
    return f"{row.figures[figure].mean:.3f}" + (f" ({rejected} of {row.attempts} rejected)" if rejected else "")
