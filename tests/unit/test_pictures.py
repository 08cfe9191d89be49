"""Every picture of README and docs is one that `make pictures` takes, and every one that is named is there."""

import re
from pathlib import Path

from tests.browser.test_every_page import WIDTHS
from tests.pictures import LOOKS, OTHER_LOOK, SHOWN, STATES_SHOWN

OF_REAL_PRINTS = {"match.jpg"}
"""Taken of a night on prints that lie beside the project (docs/matching.md)."""


OF_TRAINING = {"prior.png"}
"""Drawn by `nishiki train prior` beside the weights (docs/prior.md)."""


def taken() -> set[str]:
    """Files that the script writes, below docs."""
    pages = [(name, suffix) for _, _, suffix in LOOKS for name in (OTHER_LOOK if suffix else (*SHOWN, *STATES_SHOWN))]
    review = {f"review/{name}-{width}{suffix}.jpg" for name, suffix in pages for width in WIDTHS}
    return {"contact-sheet.jpg", "marks.jpg", *review, *OF_REAL_PRINTS, *OF_TRAINING}


def test_the_documents_hold_the_pictures_that_the_script_takes_and_no_others(project: Path) -> None:
    docs = project / "docs"
    kept = {str(path.relative_to(docs)) for path in docs.rglob("*") if path.suffix in (".jpg", ".png", ".svg")}
    assert kept == taken()


def test_every_picture_that_a_document_names_is_there(project: Path) -> None:
    for document in (project / "README.md", *(project / "docs").glob("*.md")):
        for name in re.findall(r"\]\(([^)\s]+\.(?:jpg|png|svg))\)", document.read_text(encoding="utf-8")):
            assert (document.parent / name).is_file(), f"{document.name}: {name}"
