"""The report on a night as it is read without the page: one HTML file or letter, and its plain text.

`flows.morning` writes and sends it; the page shows the same parts. Knows no web framework.
"""

from collections.abc import Callable
from html import unescape

from db.entries.morning import Morning
from db.entries.night import AttemptEntry
from db.review.view.environment import environment

Picture = Callable[[AttemptEntry, str], str]
"""The address of an attempt's `content` or `output`; empty where it is not shown."""


def morning_html(morning: Morning, language: str, links: str, picture: Picture) -> str:
    """The report as a page that needs nothing else.

    Args:
        links: where the review page is; empty: the report has no links.
    """
    template = environment(language).get_template("morning.html.j2")
    return template.render(morning=morning, language=language, path=_links(links), picture=picture)


def morning_text(morning: Morning, language: str, links: str) -> tuple[str, tuple[str, ...]]:
    """Subject and lines of the report in plain text."""
    template = environment(language).get_template("morning.txt.j2")
    subject, *lines = unescape(template.render(morning=morning, path=_links(links))).strip().splitlines()
    return subject, tuple(line.rstrip() for line in lines)


def _links(links: str) -> Callable[[str], str]:
    root = links.rstrip("/")
    return lambda address: root and root + address
