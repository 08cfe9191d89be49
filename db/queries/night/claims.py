"""What is due, and the claim itself: INSERT ... ON CONFLICT DO NOTHING against the partial index.

The index `uq_attempts_claim` decides between processes, not the query before it: on PostgreSQL the slower of
two waits for the faster one's commit and then skips its rows; on SQLite writers take turns anyway.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from db.entries.claim import PINNED, Inputs, MatcherKey, StyleInput, inputs_digest
from db.entries.night import MatchOutcome, Outcome, Verdict
from db.entries.review import RECIPE_OF_NIGHT
from db.queries.base.review_rows import hidden
from db.queries.base.store import now
from db.queries.base.usable import found_by, harvested, in_force, is_colour, usable
from db.queries.night.open_requests import counts, pending
from db.tables.night import Attempt, Batch, Image, Match
from db.tables.review import CuratorRequest, Review

PAGE = 500
"""Offers looked at in one go."""
RANGE = 1000
"""Rows among which a page is looked for in one go."""
NUMBERS = 20 * RANGE
"""Numbers of such rows that are read at once."""
BLOCK = 50
"""Of these, attempts opened in one transaction: other writers wait for it, and a crash leaves those before."""
_PLACE, _MOST = (bindparam(name, type_=Integer) for name in ("place", "most"))
_SOME = bindparam("some", type_=Integer, expanding=True, literal_execute=True)  # so PostgreSQL plans for these alone
_CLAIMED = (Outcome.SUCCEEDED, Outcome.REJECTED)
_NO_INPUTS = inputs_digest(Inputs())
_content, _style, _seen, _earlier = aliased(Image), aliased(Image), aliased(Attempt), aliased(Attempt)
_of_judged, _judged, _better = aliased(Attempt), aliased(Match), aliased(Match)
_approved, _named = aliased(Image), aliased(Image)
"""Made once, as what follows from nothing is: it takes longer than most questions."""


@dataclass(frozen=True)
class Offer:
    """A content, with the inputs that an attempt at it would take."""

    place: int
    """Where it stands among the offers of its kind; later ones have a higher number."""
    content_sha256: str
    match_id: int | None
    inputs: Inputs


Offers = Callable[[Session, Batch, int, int], list[Offer]]
"""Of this batch's recipe, behind a place, so many at most, in the order of their places; empty: there are no more."""


@dataclass(frozen=True)
class Kind:
    """Offers that one statement finds, among some rows at a time.

    PostgreSQL knows too little of what is due to order these many look-ups over a table well, nor over a range of it.
    Told the rows' numbers it can only look each up, and on both databases a page takes as long in a large catalogue as
    in a small one.
    """

    among: Select[int]
    """Numbers of the rows that may be due, by what one look tells."""
    due: Callable[[Batch], Any]
    """Of this batch's recipe, of the rows of `some` numbers, so many at `most`."""
    offered: Callable[[Session, Batch, Sequence[Any]], list[Offer]]
    """What its rows offer."""

    def offers(self, due: Any) -> Offers:
        """What the statement finds, which a take makes once: it is long."""
        next_ones = self.next_ones()

        def offers(session: Session, batch: Batch, place: int, most: int) -> list[Offer]:
            while numbers := session.scalars(next_ones, {"place": place}).all():
                for start in range(0, len(numbers), RANGE):
                    asked = {"some": numbers[start : start + RANGE], "most": most}
                    if found := session.execute(due, asked).all():
                        return self.offered(session, batch, found)
                place = numbers[-1]
            return []

        return offers

    def next_ones(self) -> Select[int]:
        """The rows' numbers behind a `place`."""
        (number,) = self.among.selected_columns
        return self.among.where(number > _PLACE).order_by(number).limit(NUMBERS)


@dataclass(frozen=True)
class Bounds:
    """How far a claim goes."""

    max_tries: int
    """Attempts of one key after which nobody tries again."""
    limit: int | None = None
    """Attempts to open, at most."""

    def left(self, taken: int) -> int | None:
        """How many more; None: there is no limit."""
        return None if self.limit is None else max(0, self.limit - taken)


def claim(session: Session, insert: Any, batch_id: int, offers: Offers, bounds: Bounds) -> int:
    """Open attempts in the batch for what is offered and not settled, all in this transaction; how many."""
    batch, taken, place = session.get_one(Batch, batch_id), 0, 0
    while page := next_page(session, batch, offers, place, bounds.left(taken)):
        place = page[-1].place
        taken += open_attempts(session, insert, batch, page, bounds.max_tries)
    return taken


def next_page(session: Session, batch: Batch, offers: Offers, place: int, left: int | None) -> list[Offer]:
    """Offers behind a place, no more than are `left` to take; empty: there are no more."""
    return [] if left == 0 else offers(session, batch, place, PAGE if left is None else min(PAGE, left))


def open_attempts(session: Session, insert: Any, batch: Batch, page: Sequence[Offer], max_tries: int) -> int:
    """Open attempts for the offers that are not settled; how many.

    Settled is a key with a pending, succeeded or rejected attempt, with a permanent failure, or with too many others.
    What another process claimed meanwhile is skipped.
    """
    rows = _rows(session, batch, page, max_tries)
    return len(session.execute(insert.on_conflict_do_nothing().returning(Attempt.id), rows).all()) if rows else 0


@dataclass(frozen=True)
class Chosen:
    """Which matches are offered."""

    likely: ColumnElement[bool]
    """What one look tells."""
    besides: ColumnElement[bool] = field(default_factory=true)
    """What look-ups tell."""


def matches(chosen: Chosen, matcher: MatcherKey | None = None, also: ColumnElement[bool] | None = None) -> Kind:
    """Matches that are `chosen`, of one matcher or of any, with further styles as far as the recipe takes some.

    A match that was made by a recipe of several styles is not made anew because others stand beside it now; what a
    curator pinned together is, since they chose those others.

    Args:
        chosen: which.
        matcher: whose matches; None: any.
        also: what they are besides.
    """

    def due(batch: Batch) -> Any:
        of_matcher = true() if matcher is None else in_force(matcher)
        content, style = _sha256_of(Match.content_id), _sha256_of(Match.style_id)
        alone = _settled_as(batch, content, Match.inputs_digest)
        settled = or_(alone, and_(Match.registration.is_(None), _settled_by(batch)))
        settled = and_(not_(found_by(PINNED)), settled)  # what is claimed tells exactly, and pins are few
        besides = (chosen.besides, true() if also is None else also, of_matcher)
        return (
            select(Match, content, style)
            .where(Match.id.in_(_SOME), Match.style_id.is_not(None))
            .where(_row_by_row(not_(settled), *besides, usable(Match.content_id), usable(Match.style_id)))
            .order_by(Match.id)
            .limit(_MOST)
        )

    def offered(session: Session, batch: Batch, found: Sequence[Any]) -> list[Offer]:
        further = _further_styles(session, batch.styles, [match for match, _, _ in found])
        return [
            Offer(match.id, sha256, match.id, Inputs(_styles(batch, match, first, further)))
            for match, sha256, first in found
        ]

    return Kind(select(Match.id).where(chosen.likely), due, offered)


def requests(recipes: Collection[str], matcher: MatcherKey) -> Offers:
    """What curators asked for by these names of the recipe, with the marks and the mask that they drew.

    Another style than that of the attempt they looked at is taken alone.
    """

    def offers(session: Session, batch: Batch, place: int, most: int) -> list[Offer]:
        one = chosen_match()
        of_night = and_(CuratorRequest.style_id.is_(None), one.likely, one.besides)
        asked = or_(Match.style_id == CuratorRequest.style_id, of_night)
        due = (
            select(CuratorRequest, _content.sha256, Match, _style.sha256, _seen.style_sha256)
            .join(_content, _content.id == CuratorRequest.content_id)
            .outerjoin(_seen, _seen.id == CuratorRequest.attempt_id)
            .outerjoin(Match, and_(_takes_styles(batch), Match.content_id == _content.id, in_force(matcher), asked))
            .outerjoin(_style, _style.id == Match.style_id)
            .where(CuratorRequest.recipe_name.in_(_names(recipes, batch)), pending(), CuratorRequest.id > place)
            .where(usable(_content.id), or_(not_(_takes_styles(batch)), usable(Match.style_id)))
            .order_by(CuratorRequest.id)
            .limit(most)
        )
        found: Sequence[Any] = session.execute(due).all()
        among = [match for _, _, match, first, own in found if match and first == own]
        further = _further_styles(session, batch.styles, among)
        return [
            Offer(
                request.id,
                sha256,
                match and match.id,
                Inputs(
                    _styles(batch, match, first, further) if match else (), request.marks_sha256, request.mask_sha256
                ),
            )
            for request, sha256, match, first, _ in found
        ]

    return offers


def contents(taken: ColumnElement[bool]) -> Kind:
    """Images that are `taken` as content, for a recipe that needs no style."""

    def due(batch: Batch) -> Any:
        settled = _settled_as(batch, Image.sha256, literal_column(f"'{_NO_INPUTS}'"))
        found = select(Image.id, Image.sha256).where(_row_by_row(not_(settled), taken))
        return found.where(Image.id.in_(_SOME)).order_by(Image.id).limit(_MOST)

    def offered(_session: Session, _batch: Batch, found: Sequence[Any]) -> list[Offer]:
        return [Offer(image_id, sha256, None, Inputs()) for image_id, sha256 in found]

    return Kind(select(Image.id).where(harvested()), due, offered)


@cache
def chosen_match() -> Chosen:
    """The matching's first choice, unless a curator has said that it is wrong; or what a curator pinned."""
    return Chosen(Match.outcome == MatchOutcome.MATCHED, or_(found_by(PINNED), not_(_is_wrong(Match))))


@cache
def next_candidate() -> Chosen:
    """The best-ranked candidate of a content whose better ones are all wrong, as curators said, or unusable."""
    same = [getattr(_better, key) == getattr(Match, key) for key in ("content_id", "matcher_name", "matcher_version")]
    may_lend = and_(usable(_better.style_id), is_colour(_better.style_id))
    open_one = exists().where(*same, _better.rank < Match.rank, not_(_is_wrong(_better)), may_lend)
    of_returned = Match.content_id.in_(_said_wrong(select(_judged.content_id), _judged))
    likely = and_(of_returned, Match.outcome == MatchOutcome.CANDIDATE, Match.rank.is_not(None))
    return Chosen(likely, and_(not_(_is_wrong(Match)), not_(open_one)))


def approved(recipe: str) -> ColumnElement[bool]:
    """A curator approved what the recipe of this name made of the content, with whatever parameters it had then."""
    return exists().where(
        _approved.id == Match.content_id,
        Attempt.content_sha256 == _approved.sha256,
        Attempt.recipe_name == recipe,
        Review.attempt_id == Attempt.id,
        Review.verdict == Verdict.APPROVED,
    )


@cache
def is_for_nights() -> ColumnElement[bool]:
    """The pair's tones are what nights take, as they are judged today: a content without colour, a style of colour."""
    return and_(not_(is_colour(Match.content_id)), is_colour(Match.style_id))


def _row_by_row(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """All of them, asked of each row in this order, by look-ups.

    PostgreSQL would make joins of them, and of so many it takes a bad order: it guesses that next to no row is left.
    SQLite ends at the first that does not hold in a CASE, but not in "(...) IS TRUE".
    """
    return case((and_(*conditions), true()), else_=false())


def _is_wrong(match: type[Match]) -> ColumnElement[bool]:
    """A standing verdict says that its two pictures are a wrong match, whichever matcher found them."""
    pair = (_judged.content_id == match.content_id, _judged.style_id == match.style_id)
    wrong: ColumnElement[bool] = _said_wrong(select(literal_column("1")), _judged).where(*pair).exists()
    return wrong


def wrong_styles(session: Session, content_ids: Collection[int]) -> Mapping[int, set[int | None]]:
    """What standing verdicts call wrong matches of these contents, asked once for all: content → its wrong styles."""
    said = _said_wrong(select(Match.content_id, Match.style_id), Match).where(Match.content_id.in_(content_ids))
    wrong: defaultdict[int, set[int | None]] = defaultdict(set)
    for content_id, style_id in session.execute(said):
        wrong[content_id].add(style_id)
    return wrong


def _said_wrong(asked: Any, judged: type[Match]) -> Any:
    """What is asked of matches, of those whose attempt was returned as a wrong match."""
    said = asked.select_from(judged).join(_of_judged, _of_judged.match_id == judged.id)
    return said.join(Review, Review.attempt_id == _of_judged.id).where(_says_wrong())


def _says_wrong() -> ColumnElement[bool]:
    # told plainly, SQLite would go through all that was ever returned, for each match
    returned = func.coalesce(Review.verdict, literal_column("''")) == Verdict.RETURNED
    return and_(Review.reason == literal_column("'wrong match'"), returned, not_(hidden()))


def _names(recipes: Collection[str], batch: Batch) -> list[str]:
    """A recipe that takes no style cannot answer who asks the night's own recipe for another style."""
    return [name for name in recipes if batch.styles or name != RECIPE_OF_NIGHT]


def _takes_styles(batch: Batch) -> ColumnElement[bool]:
    return literal_column("1 = 1" if batch.styles else "1 = 0")


def _styles(
    batch: Batch, match: Match, first: str, further: Mapping[int, Sequence[StyleInput]]
) -> tuple[StyleInput, ...]:  # fmt: skip
    return (StyleInput(first, match.registration), *further[match.id])[: batch.styles]


def _further_styles(session: Session, styles: int, firsts: Sequence[Match]) -> Mapping[int, list[StyleInput]]:
    """Match → the next-ranked usable candidates of its content, as many as the recipe takes beside it and there are.

    A print of the content's own design is taken alone: no other tells more. Those that verdicts call wrong are left
    out, but where a curator has pinned them since. Asked once for all.
    """
    further: defaultdict[int, list[StyleInput]] = defaultdict(list)
    alone = [first for first in firsts if styles > 1 and first.registration is None]
    if not alone:
        return further
    contents = {first.content_id for first in alone}
    wrong, ranked = wrong_styles(session, contents), defaultdict(list)
    candidates = (
        select(Match, Image.sha256)
        .join(Image, Match.style_id == Image.id)
        .where(Match.content_id.in_(contents), Match.rank.is_not(None))
        .where(usable(Match.style_id), is_colour(Match.style_id))
        .order_by(Match.rank)
    )
    pinned = {first.content_id for first in alone if _is_pin(first) and first.outcome == MatchOutcome.MATCHED}
    for match, sha256 in session.execute(candidates):
        chosen = match.content_id in pinned and _is_pin(match)
        if chosen or match.style_id not in wrong[match.content_id]:
            ranked[_found(match)].append((match.id, StyleInput(sha256, match.registration)))
    for first in alone:
        further[first.id] = [style for match_id, style in ranked[_found(first)] if match_id != first.id][: styles - 1]
    return further


def _is_pin(match: Match) -> bool:
    return match.matcher_name == PINNED.name


def _found(match: Match) -> tuple[int, str, str]:
    """Candidates of one content are ranked by one matcher."""
    return match.content_id, match.matcher_name, match.matcher_version


def _rows(session: Session, batch: Batch, page: Sequence[Offer], max_tries: int) -> list[dict[str, Any]]:
    """Attempts to open for the offers that are not settled."""
    tried, moment, rows = _tried(session, batch, {offer.content_sha256 for offer in page}), now(), []
    for offer in page:
        digest = inputs_digest(offer.inputs)
        number, tries, settled = tried.get((offer.content_sha256, digest), (0, 0, 0))
        if settled or tries >= max_tries:
            continue
        rows.append(
            {
                "batch_id": batch.id,
                "match_id": offer.match_id,
                "content_sha256": offer.content_sha256,
                "style_sha256": offer.inputs.styles[0].sha256 if offer.inputs.styles else None,
                "marks_sha256": offer.inputs.marks_sha256,
                "mask_sha256": offer.inputs.mask_sha256,
                **{key: getattr(batch, key) for key in ("recipe_name", "recipe_data", "recipe_digest")},
                **{key: getattr(batch, key) for key in ("encoder_name", "models", "models_digest")},
                "weights_checksum": batch.encoder_checksum,
                "inputs": offer.inputs.data(),
                "inputs_digest": digest,
                "number": number + 1,
                "transient": False,
                "opened_at": moment,
            }
        )
    return rows


def _tried(session: Session, batch: Batch, contents: Collection[str]) -> dict[tuple[str, str], tuple[int, int, int]]:
    """(Content, inputs' digest) → attempts by the batch's recipe and models, how many of them count, and settle it."""
    key = (Attempt.content_sha256, Attempt.inputs_digest)
    counting, settling = (func.count(case((which(Attempt), 1))) for which in (counts, _settles))
    tried = select(*key, func.max(Attempt.number), counting, settling).group_by(*key)
    found = session.execute(tried.where(Attempt.content_sha256.in_(contents), _by(Attempt, batch)))
    return {(content, digest): (number, tries, settled) for content, digest, number, tries, settled in found}


def _sha256_of(image_id: Any) -> Any:
    """Of a match's image, by look-up: for a join PostgreSQL would read all images, for each thousand matches anew."""
    return select(_named.sha256).where(_named.id == image_id).correlate(Match).scalar_subquery()


def _settled_as(batch: Batch, content_sha256: Any, digest: Any) -> ColumnElement[bool]:
    same = and_(_earlier.content_sha256 == content_sha256, _earlier.inputs_digest == digest)
    return exists().where(same, _by(_earlier, batch), _settles(_earlier))


def _settled_by(batch: Batch) -> ColumnElement[bool]:
    return exists().where(
        _earlier.match_id == Match.id,
        _earlier.marks_sha256.is_(None),
        _earlier.mask_sha256.is_(None),
        _by(_earlier, batch),
        _settles(_earlier),
    )


def _by(attempt: type[Attempt], batch: Batch) -> ColumnElement[bool]:
    return and_(attempt.recipe_digest == batch.recipe_digest, attempt.models_digest == batch.models_digest)


def _settles(attempt: type[Attempt]) -> ColumnElement[bool]:
    """Nothing further is to be tried: it is pending, it came to a picture, or it failed for good."""
    return or_(attempt.outcome.is_(None), attempt.outcome.in_(_CLAIMED), not_(attempt.transient))
