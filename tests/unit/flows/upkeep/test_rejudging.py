"""Rights judged again from what is kept of a record."""

import json

import pytest

from db.entries.night import Derivatives, KeptRights, RightsEntry
from flows.archives.folder.table import OWN_FOLDER
from flows.archives.limits import LONGEST_TEXT
from flows.upkeep.rejudging import judged

CC0 = "http://creativecommons.org/publicdomain/zero/1.0/"
OWN = RightsEntry(Derivatives.YES, OWN_FOLDER.basis)


def kept(text: str, raw: str = "<record/>", kind: str = "oai-pmh", *, row_missing: bool = False) -> KeptRights:
    rights = RightsEntry(Derivatives.YES, "licence URI in dc:rights", CC0, text) if text else OWN
    return KeptRights(1, "sample", kind, "r1", raw, rights, row_missing)


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        (CC0, "yes"),
        (f"{CC0}\nAll rights reserved", "no"),
        (f"{CC0} but the colours must stay", "ask"),
        ("x" * LONGEST_TEXT, "ask"),
        (f"{CC0}\n" * 250, "ask"),
    ],
)
def test_the_archives_words_are_judged_again(text: str, decision: str) -> None:
    assert judged(kept(text[:LONGEST_TEXT])).derivatives == decision


def test_where_nothing_was_said_what_was_decided_stays() -> None:
    nothing = KeptRights(1, "sample", "oai-pmh", "r1", "", RightsEntry(Derivatives.UNKNOWN, "nothing in dc:rights"))
    assert judged(nothing) == nothing.rights


@pytest.mark.parametrize(
    ("row", "decision"),
    [
        ({"file": "a.png", "derivatives": "no"}, "no"),
        ({"file": "a.png", "Licence": "http://rightsstatements.org/vocab/InC/1.0/"}, "no"),
        ({"file": "a.png", "note": "無断転載を禁じます"}, "ask"),
        ({"file": "a.png", "rights": CC0, "derivatives": "yes"}, "yes"),
        ({"file": "a.png", "title": "暫"}, "yes"),
    ],
)
def test_a_folders_row_is_read_again(row: dict[str, str], decision: str) -> None:
    raw = json.dumps({"row": row, "files": []}, sort_keys=True)
    assert judged(kept("", raw, "folder")).derivatives == decision


def test_a_picture_that_no_row_of_a_table_reached_is_free_no_more() -> None:
    raw = json.dumps({"row": {}, "files": [{"name": "a.png", "size": 1}]}, sort_keys=True)
    assert judged(kept("", raw, "folder")) == OWN
    assert judged(kept("", raw, "folder", row_missing=True)).derivatives == Derivatives.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "said", "decision"),
    [
        ("japan-search", {"common": {"contentsRightsType": "ccbynd"}}, "no"),
        ("japan-search", {"common": {"contentsRightsType": "pdm"}}, "yes"),
        ("met", {"isPublicDomain": False, "rightsAndReproduction": CC0}, "ask"),
        ("aic", {"is_public_domain": True, "copyright_notice": None}, "yes"),
        ("cleveland", {"share_license_status": "Copyrighted", "copyright": CC0}, "no"),
    ],
)
def test_the_codes_of_an_api_are_read_again_and_not_only_the_words_beside_them(
    kind: str, said: dict[str, object], decision: str
) -> None:
    assert judged(kept(CC0, json.dumps(said), kind)).derivatives == decision
