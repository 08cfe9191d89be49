"""Which requests are pending and which a night can make: conditions on `CuratorRequest`, for claim and page.

An attempt answers a request when it was begun after it, with its pictures, its inputs and its recipe; what was tried
before and what a later recipe of the same name would make are other things.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select
from sqlalchemy.orm import aliased

from db.entries.review import RECIPE_OF_NIGHT
from db.queries.base.usable import usable
from db.queries.night.lost_results import LOST
from db.tables.night import Attempt, Batch, Image
from db.tables.review import CuratorRequest

MAX_TRIES = 3
"""Attempts after which nobody tries again, where no setting says otherwise."""
PUT_BACK = "PutBack"
"""The error's name in an attempt that a person has put back to the queue."""
_UNCOUNTED = ("PictureGone", "PictureAltered", LOST, PUT_BACK)
_tried = aliased(Attempt)
_content, _style = aliased(Image), aliased(Image)


def pending() -> ColumnElement[bool]:
    """Nobody took the request back, and nothing has come of it but attempts that failed for now."""
    return and_(CuratorRequest.withdrawn_at.is_(None), answer(not_(_tried.transient)).is_(None))


def allowed() -> ColumnElement[bool]:
    """Its pictures may be used."""
    style = or_(CuratorRequest.style_id.is_(None), usable(CuratorRequest.style_id))
    return and_(usable(CuratorRequest.content_id), style)


def tries() -> Any:
    """How often it was tried with recipe and models as they are now."""
    return _such(func.count(_tried.id), unchanged(_tried), counts(_tried))


def counts(attempt: type[Attempt]) -> ColumnElement[bool]:
    """Is the try one of those after which nobody tries again? That a stored file was damaged says nothing of it."""
    return func.coalesce(attempt.error_class, "").not_in(_UNCOUNTED)


def answer(*which: ColumnElement[bool]) -> Any:
    """Number of the newest attempt, of these, that came of the request."""
    return _such(func.max(_tried.id), _tried.opened_at >= CuratorRequest.requested_at, *which)


def repeated() -> Any:
    """Number of the newest attempt that a night would only repeat, whenever it was made."""
    return _such(func.max(_tried.id), not_(_tried.transient), unchanged(_tried))


def unchanged(attempt: type[Attempt]) -> ColumnElement[bool]:
    """No batch since had the attempt's recipe with other parameters or other models."""
    later = aliased(Batch)
    differs = or_(later.recipe_digest != attempt.recipe_digest, later.models_digest != attempt.models_digest)
    return not_(exists().where(later.recipe_name == attempt.recipe_name, later.id > attempt.batch_id, differs))


def _such(figure: Any, *which: ColumnElement[bool]) -> Any:
    """A figure of the attempts, of these, at what the request names."""
    same = and_(
        _tried.content_sha256 == _content.sha256,
        _tried.marks_sha256.is_not_distinct_from(CuratorRequest.marks_sha256),
        _tried.mask_sha256.is_not_distinct_from(CuratorRequest.mask_sha256),
        or_(CuratorRequest.style_id.is_(None), _tried.style_sha256 == _style.sha256, _needs_no_style()),
        or_(CuratorRequest.recipe_name == RECIPE_OF_NIGHT, _tried.recipe_name == CuratorRequest.recipe_name),
        *which,
    )
    found = (
        select(figure).select_from(_content).outerjoin(_style, _style.id == CuratorRequest.style_id).join(_tried, same)
    )
    return found.where(_content.id == CuratorRequest.content_id).correlate(CuratorRequest).scalar_subquery()


def _needs_no_style() -> ColumnElement[bool]:
    """The recipe that was asked for by its name takes none: then none of the request's matters."""
    return and_(_tried.style_sha256.is_(None), CuratorRequest.recipe_name != RECIPE_OF_NIGHT)
