"""Thumbnails, previews and tiles, by the picture's sha256 and by nothing else; browsers may keep them for ever."""

from fastapi import APIRouter
from fastapi.responses import FileResponse

from db.review.auth import Looking
from db.review.state import State

router = APIRouter()
_KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}


@router.get("/pictures/{sha256}/{name:path}")
def picture(sha256: str, name: str, state: State, _: Looking) -> FileResponse:
    """A file of the picture's folder.

    Raises:
        PictureMissing: there is no such file, or the name is none that such a folder holds.
    """
    return FileResponse(state.tiles.path(sha256, name), headers=_KEPT)
