"""What results and verdicts come to by recipe, night, archive or artist, and recipes against each other.

The database adds up, and rows of sums are all that is read. Answers are kept: figures until results or rights change,
which a morning's verdicts do not. What is withheld is left out, and a first verdict that waits unseen for a second one.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from db.entries.night import EncoderKey, Outcome, Verdict
from db.entries.statistics import Agreed, Group, HeldOut, Paired, Statistics, Subject
from db.errors import UnknownEntry
from db.pathless import archive_label
from db.queries.base.store import chunks
from db.queries.base.tallies import PICTURES, Tables, TallyQueries
from db.queries.night.models import ModelQueries
from db.queries.review.agreement import nominal_alpha
from db.queries.review.intervals import mean_of, share_of
from db.queries.review.verdicts import VerdictQueries
from db.tables.night import Archive, Attempt, Batch, Night, RecordArtist
from db.tables.review import Review

MOST_ARTISTS: Final = 1000
_MADE: Final[Tables] = (*PICTURES, Attempt)
_SAID: Final[Tables] = (*_MADE, Review)
_FIGURES: Final[dict[str, Any]] = {
    "content": Attempt.content_error_mean,
    "style": Attempt.style_error_mean,
    "total": Attempt.total_error_mean,
    "trust": Review.trust,
}
_BOUNDS: Final = {"content": (0.0, 2.0), "style": (0.0, 2.0), "total": (0.0, 4.0), "trust": (0.0, 1.0)}
"""No figure is less or more."""
_JUDGED = Review.waiting_since.is_(None)
_SHOWN = Review.withheld.is_(False)


def _times(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _sums(figure: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    """How many, their sum, and the sum of their squares."""
    return func.count(figure), func.coalesce(func.sum(figure), 0.0), func.coalesce(func.sum(figure * figure), 0.0)


_COUNTS: Final[dict[str, ColumnElement[int]]] = {
    "results": func.count(),
    "succeeded": _times(Review.outcome == Outcome.SUCCEEDED),
    "rejected": _times(Review.outcome == Outcome.REJECTED),
    "approved": _times(and_(_JUDGED, Review.verdict == Verdict.APPROVED)),
    "returned": _times(and_(_JUDGED, Review.verdict == Verdict.RETURNED)),
    "withheld": _times(and_(_JUDGED, Review.verdict == Verdict.WITHHELD)),
}


@dataclass
class _Counted:
    """What the rows of one group add up to."""

    counts: Counter[str] = field(default_factory=Counter)
    sums: dict[str, list[float]] = field(default_factory=lambda: {name: [0, 0.0, 0.0] for name in _FIGURES})
    words: list[list[str]] = field(default_factory=list)
    """The verdicts on each entry that two curators judged blind."""

    def add(self, numbers: Sequence[float], *, errors: bool) -> None:
        """The sums of a row; its errors only where they are by the encoder asked for."""
        for place, name in enumerate(_FIGURES):
            if errors or name == "trust":
                of_row = numbers[3 * place : 3 * place + 3]
                self.sums[name] = [before + more for before, more in zip(self.sums[name], of_row, strict=True)]

    def group(self, name: str) -> Group:
        """Means, shares and intervals of it."""
        counts = {each: self.counts[each] for each in _COUNTS}
        judged = counts["approved"] + counts["returned"] + counts["withheld"]
        means = {
            each: mean_of(number, total, squares, *_BOUNDS[each])
            for each, (number, total, squares) in self.sums.items()
        }
        alike = sum(len(set(words)) == 1 for words in self.words)
        return Group(
            name, **counts,
            approval=share_of(counts["approved"], judged),
            trust=means.pop("trust"),
            errors=means,
            agreed=Agreed(share_of(alike, len(self.words)), nominal_alpha(self.words)),
        )  # fmt: skip


class StatisticsQueries(ModelQueries, TallyQueries, VerdictQueries):
    """Results, counted."""

    def statistics(self, subject: Subject, encoder: EncoderKey | None = None) -> Statistics:
        """The catalogue by this subject, its errors by this encoder; left out, by the one most used.

        Raises:
            UnknownEntry: no result has figures of this encoder.
        """
        keys = _keys(subject)
        sums, counts = (
            _by(subject, [each for name in _FIGURES.values() for each in _sums(name)]),
            _by(subject, _COUNTS.values()),
        )
        made = self._answer(sums, _MADE, lambda: self._rows(sums, len(keys)))["rows"]
        said = self._answer(counts, _SAID, lambda: self._rows(counts, len(keys)) | self._words(subject))
        with self._reading() as session:
            told = _Told.of(session, subject)
        encoders = _encoders(told, made)
        if encoder is not None and encoder not in encoders:
            raise UnknownEntry(f"no result has figures by the encoder {encoder.name} ({encoder.checksum[:12]})")
        chosen = encoder or next(iter(encoders), None)
        groups: defaultdict[str, _Counted] = defaultdict(_Counted)
        for key, numbers in said["rows"]:
            of_group = groups[told.name(key)].counts
            for name, number in zip(_COUNTS, numbers, strict=True):
                of_group[name] += number
        for key, numbers in made:
            groups[told.name(key)].add(numbers, errors=told.encoder(key) == chosen)
        for key, words in said["words"]:
            if told.name(key) in groups:
                groups[told.name(key)].words.append(words)
        found = sorted((counted.group(name) for name, counted in groups.items()), key=told.order)
        return Statistics(subject, found, chosen, encoders)

    def paired(self, encoder: EncoderKey) -> list[Paired]:
        """Every two recipes that have results of the same contents by this encoder; those with most contents first."""
        sums, words = _differences(encoder), _preferences(encoder)
        made = self._answer(sums, _MADE, lambda: self._rows(sums, 2))["rows"]
        said = self._answer(words, _SAID, lambda: self._rows(words, 2))["rows"]
        with self._reading() as session:
            labels = recipe_labels(session)
        preferred = {tuple(key): numbers for key, numbers in said}
        found = [_paired(labels, key, numbers, preferred.get(tuple(key), (0, 0, 0))) for key, numbers in made]
        return sorted(found, key=lambda each: (-each.contents, each.recipes))

    def held_out(self) -> list[HeldOut]:
        """What trained recipes that are in use came to on prints that they were not taught, the best first."""
        models = [each for each in self.models() if each.retired_at is None]
        ratios = ((each, each.measures["areas"]["ratio"], each.measures["plain"]["ratio"]) for each in models)
        found = [HeldOut(f"{each.method}/{each.name}", each.held_out, *both) for each, *both in ratios]
        return sorted(found, key=lambda each: each.ratio)

    def _rows(self, asked: Select[Any], keys: int) -> dict[str, Any]:
        """Each row's keys, which come first, and its numbers."""
        with self._reading() as session:
            return {"rows": [[list(row[:keys]), list(row[keys:])] for row in session.execute(asked)]}

    def _words(self, subject: Subject) -> dict[str, Any]:
        """The keys of each entry that two curators judged blind, and what they said."""
        words = self.agreement().words
        with self._reading() as session:
            found = [
                [list(key), sorted(map(str, words[number].values()))]
                for some in chunks(words)
                for number, *key in session.execute(
                    _joined(select(Review.attempt_id, *_keys(subject)), subject).where(Review.attempt_id.in_(some))
                )
            ]
        return {"words": found}


def _keys(subject: Subject) -> tuple[Any, ...]:
    """What results are counted by: the names follow from it, and the encoder does."""
    if subject is Subject.ARTIST:
        return RecordArtist.name, Batch.encoder_name, Batch.encoder_checksum
    return Review.batch_id, Review.archive_id


def _joined(asked: Select[Any], subject: Subject) -> Select[Any]:
    """With the tables of the keys; of a print of several artists each has it."""
    if subject is Subject.ARTIST:
        asked = asked.join(Batch, Batch.id == Review.batch_id)
        asked = asked.join(RecordArtist, RecordArtist.record_id == Review.record_id)
    return asked.where(_SHOWN)


def _by(subject: Subject, numbers: Iterable[ColumnElement[Any]]) -> Select[Any]:
    keys, numbers = _keys(subject), list(numbers)
    asked = _joined(select(*keys, *numbers).select_from(Review), subject).group_by(*keys)
    if len(numbers) > len(_COUNTS):
        asked = asked.join(Attempt, Attempt.id == Review.attempt_id)
    return asked.where(RecordArtist.name.in_(_artists())) if subject is Subject.ARTIST else asked


def _artists() -> Select[str]:
    """Those with most results."""
    named = select(RecordArtist.name).join(Review, Review.record_id == RecordArtist.record_id).where(_SHOWN)
    most = named.group_by(RecordArtist.name).order_by(func.count().desc(), RecordArtist.name)
    return most.limit(MOST_ARTISTS)


@dataclass(frozen=True)
class _Told:
    """What a row's keys mean, and in which order the groups stand."""

    name: Callable[[Sequence[Any]], str]
    encoder: Callable[[Sequence[Any]], EncoderKey]
    order: Callable[[Group], Any]

    @classmethod
    def of(cls, session: Session, subject: Subject) -> "_Told":
        if subject is Subject.ARTIST:
            return cls(lambda keys: str(keys[0]), lambda keys: EncoderKey(*keys[1:]), _most_first)
        rows = session.execute(select(Batch.id, Batch.encoder_name, Batch.encoder_checksum))
        encoders = {number: EncoderKey(name, checksum) for number, name, checksum in rows}
        if subject is Subject.ARCHIVE:
            archives = dict(session.execute(select(Archive.id, Archive.name)).all())
            return cls(lambda keys: archive_label(archives[keys[1]]), lambda keys: encoders[keys[0]], _most_first)
        names = _recipes(session) if subject is Subject.RECIPE else dict(_nights(session))
        order = _most_first if subject is Subject.RECIPE else _newest_first
        return cls(lambda keys: names[keys[0]], lambda keys: encoders[keys[0]], order)


def _most_first(group: Group) -> Any:
    return -group.results, group.name


def _newest_first(group: Group) -> Any:
    return -int(group.name or 0)


def recipe_labels(session: Session) -> dict[str, str]:
    """Recipe's digest → its name, with the digest where another had the same name."""
    rows = session.execute(select(Batch.recipe_name, Batch.recipe_digest).distinct()).all()
    often = Counter(name for name, _ in rows)
    return {digest: name if often[name] == 1 else f"{name} ({digest[:12]})" for name, digest in rows}


def _recipes(session: Session) -> dict[int, str]:
    labels = recipe_labels(session)
    return {number: labels[digest] for number, digest in session.execute(select(Batch.id, Batch.recipe_digest))}


def _nights(session: Session) -> Iterator[tuple[int, str]]:
    """Of each batch the number of the night that took it on; empty: it was begun by hand."""
    ends = func.coalesce(Night.ended_at, Night.seen_at, type_=Night.seen_at.type)
    nights = session.execute(select(Night.began_at, ends, Night.id).order_by(Night.began_at)).all()
    begun = [night[0] for night in nights]
    for number, started_at in session.execute(select(Batch.id, Batch.started_at)):
        place = bisect_right(begun, started_at) - 1
        is_within = place >= 0 and started_at <= nights[place][1]
        yield number, str(nights[place][2]) if is_within else ""


def _encoders(told: _Told, rows: Iterable[Any]) -> list[EncoderKey]:
    """Those with figures, the most used first."""
    often: Counter[EncoderKey] = Counter()
    for key, numbers in rows:
        often[told.encoder(key)] += numbers[0]
    return [encoder for encoder, number in often.most_common() if number]


def newest_results(columns: Mapping[str, Any], *narrowed: ColumnElement[bool]) -> Any:
    """Of each content and recipe the newest result that is not narrowed away, with these columns."""
    newest = (
        select(func.max(Attempt.id).label("id"))
        .join(Review, Review.attempt_id == Attempt.id)
        .where(_SHOWN, *narrowed)
        .group_by(Attempt.content_sha256, Attempt.recipe_digest)
        .subquery()
    )
    named = (column.label(name) for name, column in columns.items())
    made = select(Attempt.content_sha256.label("content_sha256"), Attempt.recipe_digest.label("recipe"), *named)
    return made.join(newest, newest.c.id == Attempt.id).join(Review, Review.attempt_id == Attempt.id).cte("made")


def _measured_by(encoder: EncoderKey) -> ColumnElement[bool]:
    return and_(Attempt.encoder_name == encoder.name, Attempt.weights_checksum == encoder.checksum)


def beside(made: Any, numbers: Callable[[Any, Any], Iterable[ColumnElement[Any]]]) -> Select[Any]:
    """Numbers over the contents of every two recipes."""
    one, other = aliased(made, name="one"), aliased(made, name="other")
    same = and_(one.c.content_sha256 == other.c.content_sha256, one.c.recipe < other.c.recipe)
    keys = one.c.recipe, other.c.recipe
    return select(*keys, *numbers(one, other)).select_from(one).join(other, same).group_by(*keys)


def _differences(encoder: EncoderKey) -> Select[Any]:
    def numbers(one: Any, other: Any) -> Iterator[ColumnElement[Any]]:
        yield func.count()
        for name in _FIGURES:
            yield from _sums(one.c[name] - other.c[name])

    return beside(newest_results(_FIGURES, _measured_by(encoder)), numbers)


def _preferences(encoder: EncoderKey) -> Select[Any]:
    """Of the newest results with a verdict."""

    def numbers(one: Any, other: Any) -> Iterator[ColumnElement[Any]]:
        yield func.count()
        for first, second in ((one, other), (other, one)):
            yield _times(and_(first.c.word == Verdict.APPROVED, second.c.word != Verdict.APPROVED))

    judged = (_measured_by(encoder), _JUDGED, Review.verdict.is_not(None))
    return beside(newest_results({"word": Review.verdict}, *judged), numbers)


def _paired(labels: Mapping[str, str], key: Sequence[str], numbers: Sequence[Any], said: Sequence[int]) -> Paired:
    contents, *sums = numbers
    judged, *alone = said
    recipes = [labels[digest] for digest in key]
    sign = 1
    if recipes[1] < recipes[0]:
        recipes, alone, sign = recipes[::-1], alone[::-1], -1
    triples = (sums[place : place + 3] for place in range(0, len(sums), 3))
    means = {
        name: mean_of(count, sign * total, squares)
        for name, (count, total, squares) in zip(_FIGURES, triples, strict=True)
    }
    first, second = alone
    return Paired((recipes[0], recipes[1]), contents, means, judged, (first, second), share_of(first, first + second))
