"""A curator's desk: views that they keep, and what curators say to each other on entries."""

from sqlalchemy import delete, exists, func, insert, not_, or_, select
from sqlalchemy.orm import aliased

from db.entries.desk import MOST_VIEWS, Comment, SavedView
from db.errors import UnknownEntry
from db.queries.base.review_rows import hidden
from db.queries.base.store import Store, now
from db.tables.night import VerdictGiven
from db.tables.review import CommentSaid, Review, ViewSaved


class DeskQueries(Store):
    """What lies on a curator's desk."""

    def save_view(self, curator: str, name: str, query: str) -> bool:
        """Keep a view under this name, in place of what had it before; False: they keep MOST_VIEWS others."""
        row = {"curator": curator, "name": name, "query": query, "saved_at": now()}
        kept = self._insert(ViewSaved).values(row).on_conflict_do_update(
            index_elements=[ViewSaved.curator, ViewSaved.name], set_={"query": query, "saved_at": row["saved_at"]}
        )  # fmt: skip
        others = select(func.count()).where(ViewSaved.curator == curator, ViewSaved.name != name)
        with self._writing() as session:
            if session.execute(others).scalar_one() >= MOST_VIEWS:
                return False
            session.execute(kept)
            return True

    def saved_views(self, curator: str) -> list[SavedView]:
        """Their views, by name."""
        found = select(ViewSaved).where(ViewSaved.curator == curator).order_by(ViewSaved.name)
        with self._reading() as session:
            return [SavedView(each.id, each.name, each.query) for each in session.scalars(found)]

    def forget_view(self, curator: str, view_id: int) -> None:
        """Remove one of their views; harmless when it is gone."""
        with self._writing() as session:
            session.execute(delete(ViewSaved).where(ViewSaved.curator == curator, ViewSaved.id == view_id))

    def comment(self, attempt_id: int, curator: str, text: str) -> None:
        """Say something on an entry; it stays.

        Raises:
            UnknownEntry: there is no such attempt, or it made no picture.
        """
        row = {"attempt_id": attempt_id, "curator": curator, "text": text, "said_at": now()}
        with self._writing() as session:
            if session.scalar(select(Review.attempt_id).where(Review.attempt_id == attempt_id)) is None:
                raise UnknownEntry(f"there is no attempt {attempt_id} with a picture; `nishiki export` lists them all")
            session.execute(insert(CommentSaid), row)

    def comments(self, attempt_id: int) -> list[Comment]:
        """All on one entry, oldest first; those on a blind pair too."""
        said = select(CommentSaid).where(CommentSaid.attempt_id == attempt_id).order_by(CommentSaid.id)
        with self._reading() as session:
            return [_comment(each) for each in session.scalars(said)]

    def comments_for(self, curator: str, limit: int) -> list[Comment]:
        """What others said last on entries that they judged or spoke on; on no blind pair that is half judged."""
        own = aliased(CommentSaid)
        judged = exists().where(VerdictGiven.attempt_id == CommentSaid.attempt_id, VerdictGiven.curator == curator)
        spoke = exists().where(own.attempt_id == CommentSaid.attempt_id, own.curator == curator)
        said = select(CommentSaid).join(Review, Review.attempt_id == CommentSaid.attempt_id)
        said = said.where(CommentSaid.curator != curator, or_(judged, spoke), not_(hidden()))
        with self._reading() as session:
            return [_comment(each) for each in session.scalars(said.order_by(CommentSaid.id.desc()).limit(limit))]


def _comment(row: CommentSaid) -> Comment:
    return Comment(row.id, row.attempt_id, row.curator, row.text, row.said_at)
