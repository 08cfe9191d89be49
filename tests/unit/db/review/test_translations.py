"""Every text of the page has its Japanese, none stands for nothing, and both leave the same gaps for numbers."""

import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

import pytest
from jinja2 import Environment, nodes
from jinja2.ext import babel_extract

from db.entries.faults import FaultKind
from db.entries.match import RefitWord
from db.entries.night import Derivatives, Outcome, Tone, Verdict
from db.entries.review import AuditWord, Order, Queue, Reason, Role
from db.review.pages.keys import KEYS
from db.review.view.translations import LANGUAGES, translations, words

TEMPLATES = sorted(
    (file for file in files("db.review").joinpath("templates").iterdir() if file.name.endswith(".j2")),
    key=lambda file: file.name,
)
SHOWN: tuple[type[StrEnum], ...] = (
    Derivatives,
    Outcome,
    Tone,
    Verdict,
    Queue,
    Order,
    Reason,
    FaultKind,
    Role,
    AuditWord,
    RefitWord,
)
GAP = re.compile(r"%\((\w+)\)s")
GETTEXT = ("_", "gettext", "ngettext")


def _texts(template: str) -> Iterator[str]:
    """The texts of a template; of those with a plural the plural, under which the Japanese is filed."""
    from io import BytesIO  # noqa: PLC0415

    options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    for _, _, text, _ in babel_extract(BytesIO(template.encode()), GETTEXT, [], options):
        found = text if isinstance(text, str) else [each for each in text or () if each is not None][-1:]
        yield from [found] if isinstance(found, str) else found


def _constants(template: str) -> set[str]:
    """Strings that the template writes down: some are handed to _() by way of a variable."""
    tree = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(template)
    return {each.value for each in tree.find_all(nodes.Const) if isinstance(each.value, str)}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.name)
def test_every_text_of_a_template_has_its_japanese(template: "object") -> None:
    text = template.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert sorted({each for each in _texts(text) if each not in translations("ja")}) == []


def test_every_word_of_the_enumerations_and_every_key_has_its_japanese() -> None:
    named = [str(word) for kind in SHOWN for word in kind]
    told = [text for key in KEYS for text in (key.what, key.where)]
    assert sorted({text for text in [*named, *told] if text not in translations("ja")}) == []


def test_no_japanese_stands_for_nothing() -> None:
    sources = [file.read_text(encoding="utf-8") for file in TEMPLATES]
    used = {text for source in sources for text in (*_texts(source), *_constants(source))}
    used |= {str(word) for kind in SHOWN for word in kind}
    code = "".join(file.read_text(encoding="utf-8") for file in Path(str(files("db.review"))).rglob("*.py"))
    unused = [text for text in translations("ja") if text not in used and f'"{text}"' not in code]
    assert sorted(unused) == []


def test_both_languages_leave_the_same_gaps() -> None:
    for english, japanese in translations("ja").items():
        assert set(GAP.findall(english)) == set(GAP.findall(japanese)), english
        for text in (english, japanese):
            assert "%" not in GAP.sub("", text).replace("%%", ""), text
            assert not re.search(r"[<>]", text), text


def test_no_text_is_translated_in_two_files() -> None:
    seen: dict[str, str] = {}
    for file in files("db.review").joinpath("translations", "ja").iterdir():
        for text in tomllib.loads(file.read_text(encoding="utf-8")):
            assert text not in seen, f"{text!r} stands in {seen[text]} and in {file.name}"
            seen[text] = file.name


def test_numbers_choose_the_english_form_and_japanese_has_one() -> None:
    pair = ("%(num)s verdict undone.", "%(num)s verdicts undone.")
    assert [words("en").ngettext(*pair, n) for n in (0, 1, 2)] == [pair[1], pair[0], pair[1]]
    assert {words("ja").ngettext(*pair, n) for n in (0, 1, 2)} == {translations("ja")[pair[1]]}


def test_what_has_no_translation_stays_english_and_english_is_itself() -> None:
    assert words("ja").gettext("a text that nobody has written") == "a text that nobody has written"
    assert words("en").gettext("Queue") == "Queue"
    assert words("ja").gettext("Queue") != "Queue"
    assert list(LANGUAGES) == ["en", "ja"]
