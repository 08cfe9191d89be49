"""The sheet that explains a match: what lies on one another is joined, and a lost picture is an empty cell."""

from io import BytesIO

import numpy as np
from PIL import Image

from colorize.images.resize import to_gray
from colorize.images.working_copy import WorkingCopy, working_copy
from colorize.matching.geometry import features, lines, same_design
from db.entries.night import Description, MatchEntry, MatchOutcome
from db.errors import PictureMissing
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from flows.match import Explanation
from flows.reports.match_sheet import explanation_lines, explanation_png

COLOUR = working_copy(draw_print(design(2), 0).pixels)
GRAY = working_copy(to_gray(draw_print(design(2), 1).pixels))


def said(number: int, sha256: str) -> Description:
    return Description(
        number, sha256, "theatre", f"print-{number}", "役者" * 80, (), (), None, None, "", "", None, None
    )


def read(sha256: str) -> WorkingCopy:
    if sha256 not in ("gray", "colour"):
        raise PictureMissing(f"{sha256} is gone")
    return GRAY if sha256 == "gray" else COLOUR


def test_points_that_lie_on_one_another_are_where_the_homography_says() -> None:
    for style in (COLOUR.pixels, np.ascontiguousarray(COLOUR.pixels[:, ::-1])):
        ours, theirs = features(GRAY.pixels, GRAY.frame), features(style)
        found = same_design(ours, theirs)
        assert found is not None
        joined = lines(ours, theirs, found)
        assert len(joined) >= found.inliers > 14
        here = np.column_stack([joined[:, 0], np.ones(len(joined))]) @ np.array(found.homography).T
        assert np.abs(here[:, :2] / here[:, 2:] - joined[:, 1]).max() < 0.02


def test_the_sheet_joins_two_impressions_and_shows_an_empty_cell_for_what_is_gone() -> None:
    found = same_design(features(GRAY.pixels, GRAY.frame), features(COLOUR.pixels, COLOUR.frame))
    assert found is not None
    first = MatchEntry(MatchOutcome.MATCHED, 2, 1, 0.9, {"same_design": True}, found.data())
    other = MatchEntry(MatchOutcome.CANDIDATE, 3, 2, 0.4, {"same_actor": 1.0, "years": [1852, 1855]})
    shown = Explanation(said(1, "gray"), ((said(2, "colour"), first), (said(3, "lost"), other)))
    sheet = np.array(Image.open(BytesIO(explanation_png(shown, read))))
    alone = Explanation(shown.content, ((said(2, "colour"), MatchEntry(MatchOutcome.MATCHED, 2, 1, 0.4)),))
    unjoined = np.array(Image.open(BytesIO(explanation_png(alone, read))))
    blue = np.array([0, 120, 215])
    assert (sheet == blue).all(-1).sum() > 1000
    assert (unjoined == blue).all(-1).sum() == 0
    told = list(explanation_lines(shown))
    assert told[2].endswith("score 0.40: same actor, 1852 and 1855")
    assert len(told[1]) < 300


def test_what_has_no_match_says_why() -> None:
    none = Explanation(said(1, "gray"), (), "all colour pictures are of another genre")
    (told,) = explanation_lines(none)
    assert told.endswith("has no match: all colour pictures are of another genre.")
    assert Image.open(BytesIO(explanation_png(none, read))).width > 480
