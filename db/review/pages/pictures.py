"""Thumbnails, previews and tiles, by the picture's sha256 and by nothing else; browsers may keep them for ever.

A page shows a hundred, so that a request costs no more than it must: one turn of another thread, in which the file is
read, and in which the person is looked up unless they were a moment ago.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from mimetypes import guess_type
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from db.catalogue import Catalogue
from db.entries.review import CuratorEntry
from db.errors import PictureMissing
from db.review.access.auth import visitor
from db.review.access.cookies import SESSION, cookie
from db.review.access.state import state_of

router = APIRouter()
KNOWN_S: Final = 2.0
"""Seconds for which somebody signed in sees further pictures, though no page, without another look at their session."""
WITHHELD_S: Final = 5.0
"""Seconds for which a picture may still be seen after it was withheld."""
_KEPT: Final = {"Cache-Control": "private, max-age=31536000, immutable"}


async def picture(request: Request) -> Response:
    """A file of the picture's folder.

    Raises:
        PictureMissing: there is no such file, or the name is none that such a folder holds.
        SignInNeeded, HTTPException: as `visitor`.
    """
    return await run_in_threadpool(_answer, request)


# a plain route: what FastAPI does for each request, a picture can do without
router.add_route("/pictures/{sha256}/{name:path}", picture, methods=["GET"])


def _answer(request: Request) -> Response:
    if not _is_signed_in(request):
        visitor(request)
    sha256 = request.path_params["sha256"]
    if sha256 in _withheld(state_of(request).catalogue, int(time.monotonic() / WITHHELD_S)):
        raise PictureMissing(f"picture {sha256} is withheld: it may not be used any more; nothing was deleted")
    path = state_of(request).tiles.path(**request.path_params)
    return Response(path.read_bytes(), headers=_KEPT, media_type=guess_type(path.name)[0])


@lru_cache(maxsize=4)
def _withheld(catalogue: Catalogue, _: int) -> frozenset[str]:
    return catalogue.withheld_pictures()


def _is_signed_in(request: Request) -> bool:
    state, token = state_of(request), cookie(request, SESSION)
    if not token or state.settings.review_user_header is not None:
        return False
    return _is_open(state.sessions.account, token, int(time.monotonic() / KNOWN_S))


@lru_cache(maxsize=256)
def _is_open(account: Callable[[str], CuratorEntry | None], token: str, _: int) -> bool:
    return account(token) is not None
