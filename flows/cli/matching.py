"""What `nishiki match` does besides matching: it explains a match, and lets a curator choose the styles of a print."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.cli.console import refuse, say

if TYPE_CHECKING:
    from db.catalogue import Catalogue
    from flows.plan import Plan


def explain_match(plan: "Plan", picture: str, *, as_json: bool) -> None:
    """Say why a picture takes the colours that it takes, and draw it on a sheet in the home."""
    from db.files.atomic import write_whole
    from db.files.home import HomeFolder
    from flows.match import explain
    from flows.reports.match_sheet import explanation_json, explanation_lines, explanation_png
    from flows.upkeep.working_copies import read_working_copy

    catalogue, settings = plan.catalogue, plan.settings
    shown = explain(plan, number_of(catalogue, picture))
    if as_json:
        say([explanation_json(shown)])
        return
    sheet = settings.home / HomeFolder.REPORTS / f"match-{shown.content.image_id}.png"
    sheet.parent.mkdir(parents=True, exist_ok=True)
    write_whole(sheet, explanation_png(shown, lambda sha256: read_working_copy(catalogue, sha256, settings.max_pixels)))
    say([*explanation_lines(shown), f"Sheet: {sheet}"])


def pin_match(plan: "Plan", pictures: Sequence[str], by: str) -> None:
    """Let the first picture take the colours of the others, whatever the rule says; without others the rule decides."""
    from flows.match import explain, pin_styles
    from flows.reports.match_sheet import explanation_lines

    content, *styles = (number_of(plan.catalogue, each) for each in pictures)
    pin_styles(plan, content, styles, by)
    if not styles:
        say([f"Nothing is pinned to picture {content} any more; the next night matches it."])
        return
    say([*explanation_lines(explain(plan, content)), "The next night colours it so; no matching overrides it."])


def number_of(catalogue: "Catalogue", picture: str) -> int:
    """The number of the picture that is meant, by its number or its record's identifier."""
    numbers = catalogue.pictures_of(picture)
    if not numbers and picture.isdecimal() and int(picture) < 2**31:
        return int(picture)
    if not numbers:
        refuse(f"no record {picture!r} has a picture here; nishiki review lists the numbers on its page Tones")
    if len(numbers) > 1:
        refuse(f"the record {picture!r} has several pictures; name one by its number: {', '.join(map(str, numbers))}")
    return numbers[0]
