"""What leaves the machine names no folder of it: words of errors, and archives that are folders without a name."""

import re
from hashlib import sha256
from pathlib import PurePath
from typing import Final

_QUOTED: Final = re.compile(r"(?<=['\"])/[^'\"\n]*/(?=[^'\"/\n]*['\"])")
_PLAIN: Final = re.compile(r"(?<![\w:/.~'\"-])/(?:[^/\s'\"<>|]+/)+")


def without_paths(text: str) -> str:
    """The text with `…/` for the folders of every absolute path; web addresses stay as they are."""
    return _PLAIN.sub("…/", _QUOTED.sub("…/", text))


def archive_label(name: str) -> str:
    """How an archive is shown: by its name, and a folder that was given without one by its own, told from its likes."""
    if not name.startswith("/"):
        return name
    return f"{PurePath(name).name} ({sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:4]})"
