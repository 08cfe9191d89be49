"""The page's own files, by an address that changes with them: browsers keep them for ever, and never an old one.

The version stands before the name, so that a script's relative imports carry it too.
"""

import hashlib
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOR_EVER: Final = "public, max-age=31536000, immutable"
_VERSION: Final = re.compile("[0-9a-f]{12}")


class VersionedFiles(StaticFiles):
    """Serves `VERSION/NAME`; a page of another version, still open, gets the file as it is now, and keeps it not."""

    def __init__(self) -> None:
        super().__init__(packages=[("db.review", "static")])

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file."""
        version, _, name = path.partition("/")
        answer = await super().get_response(name if _VERSION.fullmatch(version) else path, scope)
        answer.headers["Cache-Control"] = FOR_EVER if version == static_version() else "no-cache"
        return answer


@cache
def static_version() -> str:
    """Of all of them together, by their content."""
    folder = Path(str(files("db.review").joinpath("static")))
    digest = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        digest.update(f"{file.relative_to(folder)} ".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]
