"""The list of keys is whole: what a template binds to a key stands in it."""

import re
from importlib.resources import files

import pytest

from db.review.pages.keys import KEYS, way_back

BOUND = re.compile(r"""data-key=["']?([^"'\s>{%]+)""")
BY_MACRO = re.compile(r"""\b(?:mode|tool|step)\("\w+", "(.)\"""")
"""Keys that a macro is called with, which puts them into `data-key`."""
SHOWN_AS = {"Escape": "Esc", "-": "−", "Z": "Shift + z"}
RANGE = re.compile(r"(\d)–(\d)")


def _listed() -> set[str]:
    keys: set[str] = set()
    for key in KEYS:
        span = RANGE.fullmatch(key.key)
        keys |= {str(number) for number in range(int(span[1]), int(span[2]) + 1)} if span else {key.key}
    return keys


def test_every_key_of_a_template_is_in_the_list() -> None:
    bound: dict[str, str] = {}
    for file in files("db.review").joinpath("templates").iterdir():
        text = file.read_text(encoding="utf-8")
        bound |= dict.fromkeys([*BOUND.findall(text), *BY_MACRO.findall(text)], file.name)
    assert len(bound) > 30
    assert {key: name for key, name in bound.items() if SHOWN_AS.get(key, key) not in _listed()} == {}


def test_no_key_means_two_things_on_one_page() -> None:
    assert len({(key.key, key.where) for key in KEYS}) == len(KEYS)


@pytest.mark.parametrize(
    ("before", "back"),
    [
        ("/entries/7?queue=all", "/entries/7?queue=all"),
        ("/?artist=X", "/?artist=X"),
        ("/bulk?artist=X", "/?artist=X"),  # what a form sent for cannot be asked for
        ("/keys", "/"),
    ],
)
def test_the_list_leads_back_to_the_page_it_was_opened_from(before: str, back: str) -> None:
    assert way_back(before).rstrip("?") == back
